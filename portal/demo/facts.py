"""`demo.json`: what a person, or a script, needs to walk the demo. Written whole or not at all.

{"base_url", "staff": [{"email", "password", "totp_secret", "role", "practice"}],
 "shares": [{"link", "recipient", "recipient_name", "patient", "practice", "birthdate", "address", "allows_download"}],
 "expired_shares": [the same, of links that have ended]}
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

NAME = "demo.json"
Facts = dict[str, Any]


def read(state: Path) -> Facts | None:
    """The facts of an earlier start, or None when there was none that finished."""
    try:
        facts: Facts = json.loads((state / NAME).read_text())
    except FileNotFoundError:
        return None
    return facts


def write(state: Path, facts: Facts) -> None:
    """Write the file under another name, sync it, and only then give it its own."""
    unfinished = state / f"{NAME}.new"
    with open(unfinished, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        json.dump(facts, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(state / NAME)


def moved(facts: Facts, base_url: str) -> Facts:
    """The same facts for another address: a demo can start on another port."""
    before = facts["base_url"]

    def shares(kept: str) -> list[Facts]:
        return [
            {**share, "link": share["link"].replace(before, base_url, 1)} for share in facts.get(kept, [])
        ]

    return {
        **facts,
        "base_url": base_url,
        "shares": shares("shares"),
        "expired_shares": shares("expired_shares"),
    }


def remove_unfinished(state: Path) -> None:
    """Remove what a killed first start has made, so that this one makes it whole; a finished demo is left alone.

    Only where the database is a file of this folder, which `started_by` keeps apart from every real installation.
    """
    if (state / NAME).exists():
        return
    for database in state.glob("db.sqlite3*"):
        database.unlink()
    (state / "outbox.jsonl").unlink(missing_ok=True)
    for folder in ("vault", "spool"):
        shutil.rmtree(state / folder, ignore_errors=True)
    for message in state.glob(
        "broker/*/*"
    ):  # the broker's client has made its folders, and doesn't make them again
        message.unlink()
