"""Reading the demo's outbox: the messages that a telephone would have received."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Sent:
    """One message as it left: `at` is ISO 8601, `kind` is link or code."""

    to: str
    body: str
    at: str
    kind: str

    @property
    def link(self) -> str:
        """The link in the text, or nothing."""
        return next((word for word in self.body.split() if "/s/#" in word), "").rstrip(".,")

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.at)

    @property
    def lines(self) -> list[str]:
        return self.body.splitlines()


def messages(state: Path) -> list[Sent]:
    """Every message sent so far, the oldest first. A line that is still being written is left for later."""
    try:
        lines = (state / "outbox.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [Sent(**{name: row[name] for name in ("to", "body", "at", "kind")}) for row in _rows(lines)]


def _rows(lines: list[str]) -> list[dict[str, Any]]:
    rows = []
    for line in lines:
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows
