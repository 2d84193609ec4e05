"""The restore drill: the backup is restored into a scratch place by a process of its own, opened, and timed.

It uses the backup and the key file alone, as after a fire. RPO is how old the restored data was, RTO how long it took;
the result is kept, because a plan that was never tried is none (45 CFR 164.308(a)(7)(ii)(D)).
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from portal.backups import postgresql, runs
from portal.backups.models import Run
from portal.backups.snapshot import free_bytes
from portal.backups.snapshot_index import Index
from portal.backups.target import Target
from portal.backups.work import work_folder
from portal.clock import now
from portal.errors import ScanpassError, StorageFull, VaultDamaged

ADDRESSES = ("SCANPASS_BACKUP_DIR", "SCANPASS_BACKUP_TARGET")
PER_BYTES = 100 * 1024**3  # what the recovery time is told for, so that drills of different sizes compare


def drill(target: Target, *, scratch: Path | None = None) -> Run:
    """Restore, prove, measure, write it down. A drill that fails is written down too, and raised."""
    run = runs.begin(Run.Kind.DRILL)
    try:
        said = _restored_copy(target, scratch or Path(settings.STATE_DIR))
    except ScanpassError as error:
        runs.end(run, Run.Outcome.FAILED, error.sentence)
        raise
    return _judge(run, said)


def _restored_copy(target: Target, scratch: Path) -> dict[str, Any]:
    needed = Index.decode(target.snapshot().read("index")).length_bytes
    if free_bytes(scratch) < needed + settings.RESERVED_DISK_BYTES:
        raise StorageFull(
            f"The drill needs {(needed + settings.RESERVED_DISK_BYTES) >> 20} MB in {scratch}."
            " Name a larger place with --scratch."
        )
    database = postgresql.scratch() if connection.vendor == "postgresql" else nullcontext("")
    with work_folder(scratch, "drill-scratch") as place, database as url:
        began = time.monotonic()
        done = subprocess.run(
            [
                sys.executable,
                "manage.py",
                "restore",
                "--from",
                target.address,
                "--state",
                str(place),
                "--prove",
            ],
            cwd=settings.BASE_DIR,
            env=_environment(url),
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - began
    if done.returncode not in (0, 1) or not done.stdout.strip().startswith("{"):
        raise VaultDamaged("drill", _last_line(done.stderr))
    return {**json.loads(done.stdout), "drill_seconds": round(seconds, 3)}


def _last_line(text: str) -> str:
    """The restore's own sentence; it ends with one, and prints nothing of what it read."""
    lines = text.strip().splitlines() or ["The restore ended without a word."]
    return f"The drill could not restore: {lines[-1].removeprefix('CommandError: ')}"


def _environment(url: str) -> dict[str, str]:
    """The scratch installation knows the keys and the backup, and nothing of where the live data lies."""
    dropped = {"SCANPASS_VAULT", "SCANPASS_SPOOL", "DATABASE_URL", "CELERY_BROKER_URL", *ADDRESSES}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {
        **kept,
        **({"DATABASE_URL": url} if url else {}),
        "SCANPASS_BOOTSTRAP": "0",
        "SCANPASS_SECRET_KEY": secrets.token_urlsafe(48),
        "SCANPASS_KEYRING": str(settings.KEYRING_PATH),
        "SCANPASS_BACKUP_KEYRING": str(settings.BACKUP_KEYRING_PATH),
        "SCANPASS_ACCEPT_COLOCATED_KEYS": "1",
    }


def _judge(run: Run, said: dict[str, Any]) -> Run:
    age_s = (now() - datetime.fromisoformat(said["made_at"])).total_seconds()
    length = max(said["length_bytes"], 1)
    facts = {
        "snapshot": said["snapshot"],
        "rpo_s": round(age_s),
        "rto_s": said["drill_seconds"],
        "rto_per_100gb_s": round(said["seconds"] * PER_BYTES / length) if length > 10_000_000 else 0,
        "length_bytes": said["length_bytes"],
        "hit": said["hit"],
        **{name: said["proof"][name] for name in ("chains", "entries", "studies", "objects", "opened_bytes")},
    }
    bad = said["hit"] or said["proof"]["bad_chains"] or said["proof"]["unopened"]
    return runs.end(run, Run.Outcome.DAMAGED if bad else Run.Outcome.OK, _sentence(said), **facts)


def _sentence(said: dict[str, Any]) -> str:
    proof = said["proof"]
    if said["hit"]:
        return f"The backup lacks images of {len(said['hit'])} studies. Make a new backup, then drill again."
    if proof["bad_chains"]:
        return (
            "The trail in the backup does not verify. Keep everything as it is and call your privacy officer."
        )
    if proof["unopened"]:
        return f"{len(proof['unopened'])} of {proof['studies']} sampled studies could not be opened."
    return (
        f"Restored {said['packs']} packs in {said['drill_seconds']:.0f} s, opened {proof['studies']} studies"
        f" to the last byte, verified {proof['entries']} entries of the trail."
    )
