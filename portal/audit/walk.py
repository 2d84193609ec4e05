"""Walking one chain from its start and naming the first thing wrong. Pure: rows in, verdict out; no key, no database.

A row is what the database holds: (n, at, code, outcome, actor, patient, study, share, event, previous, hash). `at` is
text without a zone or an aware datetime, the four references are 32 hexadecimal digits or None.

`known` is what others have noted of this chain: n and hash. A chain that was computed anew holds together in itself;
against that only such points help, so the fault is then said to lie between the last point that held and the first
that doesn't.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from portal.audit.chain import DOMAIN, GENESIS

Row = tuple[Any, ...]

# What json.loads does, without what it does around it: canonical JSON has no space at either end.
_decode: Final = json.JSONDecoder().raw_decode

# Columns that repeat a part of the event, in the order in which they are read.
REFERENCES: Final = ("actor", "patient", "study", "share")


@dataclass(frozen=True, slots=True)
class Finding:
    """The first thing wrong in a practice's chain: in entry `n`, or at the earliest right after entry `since`."""

    practice: uuid.UUID
    n: int
    sentence: str
    since: int

    @property
    def where(self) -> str:
        return f"entry {self.n}" if self.since == self.n - 1 else f"entries {self.since + 1} to {self.n}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying one chain found: how many entries were read, the head, and the first fault if any."""

    practice: uuid.UUID
    entries: int
    head: bytes
    finding: Finding | None


def walk(practice: uuid.UUID, rows: Iterable[Row], known: Mapping[int, bytes]) -> Verdict:
    """Follow the rows from the first; whether they end where they should is `end_fault`'s to say."""
    prefix = DOMAIN + practice.bytes
    n, previous, held = 0, GENESIS, 0
    for row in rows:
        fault = _fault(row, prefix, n + 1, previous)
        if fault:
            return Verdict(practice, n, previous, Finding(practice, n + 1, fault, n))
        n, previous = n + 1, raw(row[10])
        if n in known:
            if known[n] != previous:
                finding = Finding(practice, n, "it differs from what was noted of it elsewhere", held)
                return Verdict(practice, n - 1, raw(row[9]), finding)
            held = n
    return Verdict(practice, n, previous, None)


def end_fault(verdict: Verdict, reach: int, head: tuple[int, bytes] | None) -> Finding | None:
    """The walk ended at n: it must have come to `reach`, known before it began, and where the head stands now."""
    practice, n, last = verdict.practice, verdict.entries, verdict.head
    if n < reach:
        return Finding(practice, n + 1, f"the chain ends at {n}, but entry {reach} was known", n)
    if head is None and n == 0:
        return None
    if head is None or head[0] < n or (head[0] == n and head[1] != last):
        return Finding(practice, n + 1, f"the chain ends at {n}, which is not where its head says", n)
    return None


def raw(value: bytes | memoryview | str) -> bytes:
    """The bytes of a column; SQLite lets a forger put text where bytes belong, which must be found, not crash."""
    return value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else bytes(value)


# --- judging -------------------------------------------------------------------------------------------------------


def _fault(row: Row, prefix: bytes, expected_n: int, previous: bytes) -> str | None:
    n, event, before, digest = row[0], row[8], row[9], row[10]
    if n != expected_n:
        return f"entry {expected_n} is missing: the next one found is {n}"
    if event is None or before is None or digest is None:
        return "a part of it is empty"
    if type(event) is not bytes:
        event = raw(event)
    if before != previous and raw(before) != previous:
        return "it does not follow from the entry before it"
    # `chain.next_hash` in one piece: this line is most of the time of a walk.
    head = sha256(prefix + expected_n.to_bytes(8, "big") + previous + sha256(event).digest()).digest()
    if head != digest and head != raw(digest):
        return "its content is not what was hashed"
    try:
        text = event.decode()
        said, end = _decode(text)
        return _column_fault(row, said) if end == len(text) else "its content can't be read"
    except (ValueError, TypeError, AttributeError, KeyError):
        return "its content can't be read"


def _column_fault(row: Row, said: dict[str, Any]) -> str | None:
    n, at, code, outcome = row[:4]
    if said["n"] != n or said["code"] != code or said["outcome"] != outcome or not _is_moment(at, said["at"]):
        return f"its column for {_first_changed(row, said)} was changed"
    told = said.get
    references = (said["actor"].get("id"), told("patient"), told("study"), told("share"))
    if references == row[4:8] == (None, None, None, None):
        return None
    for name, reference, column in zip(REFERENCES, references, row[4:8], strict=True):
        if (reference.replace("-", "") if reference else None) != column:
            return f"its column for {name} was changed"
    return None


def _first_changed(row: Row, said: dict[str, Any]) -> str:
    plain = zip(("n", "code", "outcome"), (row[0], row[2], row[3]), strict=True)
    return next((name for name, column in plain if said[name] != column), "at")


def _is_moment(column: datetime | str, said: str) -> bool:
    if isinstance(column, datetime):
        return column == datetime.fromisoformat(said)
    # SQLite: text, in UTC without saying so. Spelled alike is equal without reading either.
    if f"{column}+00:00" == said.replace("T", " "):
        return True
    return datetime.fromisoformat(column).replace(tzinfo=UTC) == datetime.fromisoformat(said)
