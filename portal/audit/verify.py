"""Verifying the chains: names the first bad entry, and needs no key to do it.

Limits: entries cut off the end are seen only against an anchor (a head noted elsewhere) or the head row.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from portal.audit.chain import GENESIS, next_hash
from portal.audit.models import AuditEntry, AuditHead

_COLUMNS = ("practice_id", "n", "at", "code", "outcome", "actor_id", "patient_id", "study_id", "share_id",
            "event", "previous", "hash")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """The first thing wrong in a practice's chain."""

    practice: uuid.UUID
    n: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying one chain found: how many entries were read, the head, and the first fault if any."""

    practice: uuid.UUID
    entries: int
    head: bytes
    finding: Finding | None


def verify_all(practices: Iterable[uuid.UUID] | None = None) -> Iterator[Verdict]:
    """Verify every chain, or the chains named."""
    for practice in practices if practices is not None else _practices():
        yield verify(practice)


def _practices() -> list[uuid.UUID]:
    rows = set(AuditHead.objects.values_list("practice_id", flat=True))
    rows |= set(AuditEntry.objects.values_list("practice_id", flat=True).distinct())
    return sorted(rows)


def verify(practice: uuid.UUID, anchor: tuple[int, bytes] | None = None) -> Verdict:
    """Walk one chain from its start. `anchor` is (n, hash) noted earlier, elsewhere."""
    n, previous = 0, GENESIS
    rows = AuditEntry.objects.filter(practice_id=practice).order_by("n").values(*_COLUMNS)
    for row in rows.iterator(chunk_size=5000):
        fault = _fault(row, n + 1, previous)
        if fault is None and anchor and row["n"] == anchor[0] and bytes(row["hash"]) != anchor[1]:
            fault = "it differs from the anchor"
        if fault:
            return Verdict(practice, n, previous, Finding(practice, n + 1, fault))
        n, previous = n + 1, bytes(row["hash"])
    return Verdict(practice, n, previous, _cut_off(practice, n, previous, anchor))


def _fault(row: dict, expected_n: int, previous: bytes) -> str | None:
    if row["n"] != expected_n:
        return f"entry {expected_n} is missing: the next one found is {row['n']}"
    event = _raw(row["event"])
    if _raw(row["previous"]) != previous:
        return "it does not follow from the entry before it"
    if next_hash(row["practice_id"], expected_n, previous, event) != _raw(row["hash"]):
        return "its content is not what was hashed"
    return _column_fault(row, event)


def _column_fault(row: dict, event: bytes) -> str | None:
    said = json.loads(event)
    repeated = {
        "n": row["n"],
        "at": row["at"].isoformat(),
        "code": row["code"],
        "outcome": row["outcome"],
        "patient": _text(row["patient_id"]),
        "study": _text(row["study_id"]),
        "share": _text(row["share_id"]),
    }
    for name, value in repeated.items():
        if (said.get(name) or None) != value:
            return f"its column for {name} was changed"
    if (said["actor"].get("id") or None) != _text(row["actor_id"]):
        return "its column for actor was changed"
    return None


def _text(value: uuid.UUID | None) -> str | None:
    return str(value) if value else None


def _cut_off(practice: uuid.UUID, n: int, head: bytes, anchor: tuple[int, bytes] | None) -> Finding | None:
    if anchor and anchor[0] > n:
        return Finding(practice, n + 1, f"the chain ends at {n}, but the anchor knows entry {anchor[0]}")
    kept = AuditHead.objects.filter(practice_id=practice).first()
    if kept is None and n == 0:
        return None
    if kept is None or kept.n != n or bytes(kept.hash) != head:
        return Finding(practice, n + 1, f"the chain ends at {n}, which is not where its head says")
    return None


def _raw(value: bytes | memoryview | str) -> bytes:
    """The bytes of a column; SQLite lets a forger put text where bytes belong, which must be found, not crash."""
    return value.encode() if isinstance(value, str) else bytes(value)
