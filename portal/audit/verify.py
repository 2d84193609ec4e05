"""Verifying the chains: names the first bad entry, and needs no key to do it.

A chain may grow while it is read. Limits: entries cut off the end are seen only against an anchor (a head noted
elsewhere) or the head row, which whoever can forge entries can forge too.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db import connection

from portal.audit.chain import GENESIS, next_hash
from portal.audit.models import AuditEntry, AuditHead

# Columns that repeat a part of the event, in the order in which they are read.
_REFERENCES: Final = ("actor", "patient", "study", "share")
_AT_ONCE: Final = 2000


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
    # What the head says before the walk must be on the way; what is appended meanwhile comes after it.
    known = {point[0]: point[1] for point in (_head(practice), anchor) if point}
    n, previous = 0, GENESIS
    for row in _rows(practice):
        fault = _fault(row, practice, n + 1, previous)
        if fault is None and (n + 1) in known and known[n + 1] != _raw(row[-1]):
            fault = (
                "it differs from the anchor" if anchor and anchor[0] == n + 1 else "it differs from the head"
            )
        if fault:
            return Verdict(practice, n, previous, Finding(practice, n + 1, fault))
        n, previous = n + 1, _raw(row[-1])
    return Verdict(practice, n, previous, _end_fault(practice, n, previous, max(known, default=0)))


# --- reading -------------------------------------------------------------------------------------------------------


def _rows(practice: uuid.UUID) -> Iterator[tuple[Any, ...]]:
    """The entries as the database holds them: (n, at, code, outcome, four references, event, previous, hash).

    Django's converters are passed by: they take most of the time, and a forged value that they can't convert
    would end the walk instead of being found.
    """
    # As text, or Python's own converter would stumble over a forged value.
    at = "CAST(at AS text)" if connection.vendor == "sqlite" else "at"
    references = ", ".join(map(_reference, _REFERENCES))
    columns = f"n, {at}, code, outcome, {references}, event, previous, hash"
    query = f"SELECT {columns} FROM audit_auditentry WHERE practice_id = %s ORDER BY n"  # noqa: S608 (no value in it)
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, [practice.hex if connection.vendor == "sqlite" else practice])
        while rows := cursor.fetchmany(_AT_ONCE):
            yield from rows


def _reference(name: str) -> str:
    """SQLite holds a UUID as 32 hexadecimal digits; PostgreSQL is asked for the same."""
    return f"{name}_id" if connection.vendor == "sqlite" else f"replace({name}_id::text, '-', '')"


def _head(practice: uuid.UUID) -> tuple[int, bytes] | None:
    kept = AuditHead.objects.filter(practice_id=practice).first()
    return (kept.n, bytes(kept.hash)) if kept else None


def _raw(value: bytes | memoryview | str) -> bytes:
    """The bytes of a column; SQLite lets a forger put text where bytes belong, which must be found, not crash."""
    return value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else bytes(value)


# --- judging -------------------------------------------------------------------------------------------------------


def _fault(row: tuple[Any, ...], practice: uuid.UUID, expected_n: int, previous: bytes) -> str | None:
    n, event = row[0], row[8]
    if n != expected_n:
        return f"entry {expected_n} is missing: the next one found is {n}"
    if None in (event, row[9], row[10]):
        return "a part of it is empty"
    event = _raw(event)
    if _raw(row[9]) != previous:
        return "it does not follow from the entry before it"
    if next_hash(practice, expected_n, previous, event) != _raw(row[10]):
        return "its content is not what was hashed"
    try:
        return _column_fault(row, json.loads(event))
    except (ValueError, TypeError, AttributeError, KeyError):
        return "its content can't be read"


def _column_fault(row: tuple[Any, ...], said: dict[str, Any]) -> str | None:
    n, at, code, outcome = row[:4]
    if said["n"] != n or said["code"] != code or said["outcome"] != outcome or not _is_moment(at, said["at"]):
        return f"its column for {_first_changed(row, said)} was changed"
    references = (said["actor"].get("id"), said.get("patient"), said.get("study"), said.get("share"))
    for name, reference, column in zip(_REFERENCES, references, row[4:8], strict=True):
        if (reference.replace("-", "") if reference else None) != column:
            return f"its column for {name} was changed"
    return None


def _first_changed(row: tuple[Any, ...], said: dict[str, Any]) -> str:
    plain = zip(("n", "code", "outcome"), (row[0], row[2], row[3]), strict=True)
    return next((name for name, column in plain if said[name] != column), "at")


def _is_moment(column: datetime | str, said: str) -> bool:
    moment = datetime.fromisoformat(said)
    if isinstance(column, datetime):
        return column == moment
    # SQLite: text, in UTC without saying so.
    return datetime.fromisoformat(column).replace(tzinfo=UTC) == moment


def _end_fault(practice: uuid.UUID, n: int, last: bytes, known: int) -> Finding | None:
    """The walk ended at n: it must have come as far as was known before, and where the head stands now."""
    if n < known:
        return Finding(practice, n + 1, f"the chain ends at {n}, but entry {known} was known")
    head = _head(practice)
    if head is None and n == 0:
        return None
    if head is None or head[0] < n or (head[0] == n and head[1] != last):
        return Finding(practice, n + 1, f"the chain ends at {n}, which is not where its head says")
    return None
