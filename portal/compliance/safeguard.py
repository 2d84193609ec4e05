"""One safeguard as it stands now: what it does, how it is, and what that is known from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

State = Literal["good", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Safeguard:
    """`says` is the state in a sentence; `evidence` are facts with their names; `rule` the paragraph of 45 CFR."""

    name: str
    rule: str
    state: State
    says: str
    evidence: list[tuple[str, object]] = field(default_factory=list)

    @property
    def in_a_word(self) -> str:
        return {"good": "In order", "warn": "Look at this", "bad": "Open risk"}[self.state]


def aged(moment: datetime, last: datetime | None, *, warn: timedelta, bad: timedelta) -> State:
    """How good something is that was done at `last`: bad when it never was."""
    if last is None or moment - last > bad:
        return "bad"
    return "warn" if moment - last > warn else "good"


def ago(moment: datetime, last: datetime) -> str:
    """How long ago, in words of one unit."""
    seconds = max(0, int((moment - last).total_seconds()))
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def span(seconds: float) -> str:
    """A length of time in its largest whole unit."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return "1 second" if round(seconds) == 1 else f"{seconds:.0f} seconds"
