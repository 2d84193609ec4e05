"""Verifying the chains as the database holds them: names the first bad entry, and needs no key to do it.

A chain may grow while it is read. Limits: entries newer than the last checkpoint can be written anew or cut off by
whoever also rewrites the head row; `checkpoint` keeps that window at ten minutes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping

from django.db import connection

from portal.audit.models import AuditEntry, AuditHead
from portal.audit.walk import REFERENCES, Finding, Row, Verdict, end_fault, walk

__all__ = ["Anchors", "Finding", "Verdict", "verify", "verify_all"]

Anchors = Mapping[uuid.UUID, Mapping[int, bytes]]
"""Per practice what was noted elsewhere: n and hash."""

_AT_ONCE = 2000


def verify_all(
    practices: Iterable[uuid.UUID] | None = None, anchors: Anchors | None = None
) -> Iterator[Verdict]:
    """Verify every chain, those only an anchor remembers included, or the chains named."""
    noted = anchors or {}
    for practice in practices if practices is not None else sorted({*_practices(), *noted}):
        yield verify(practice, noted.get(practice))


def _practices() -> set[uuid.UUID]:
    rows = set(AuditHead.objects.values_list("practice_id", flat=True))
    return rows | set(AuditEntry.objects.values_list("practice_id", flat=True).distinct())


def verify(practice: uuid.UUID, anchors: Mapping[int, bytes] | None = None) -> Verdict:
    """Walk one chain from its start. `anchors` are hashes noted earlier, elsewhere, by n."""
    known = anchors or {}
    # What the head says before the walk must be on the way; what is appended meanwhile comes after it.
    before = _head(practice)
    verdict = walk(practice, _rows(practice), known)
    reach = max([*known, before[0] if before else 0])
    finding = verdict.finding or end_fault(verdict, reach, _head(practice))
    return Verdict(practice, verdict.entries, verdict.head, finding)


def _rows(practice: uuid.UUID) -> Iterator[Row]:
    """The entries as the database holds them, in order.

    Django's converters are passed by: they take most of the time, and a forged value that they can't convert
    would end the walk instead of being found.
    """
    # As text, or Python's own converter would stumble over a forged value; PostgreSQL's is also the faster one.
    is_sqlite = connection.vendor == "sqlite"
    at = "CAST(at AS text)" if is_sqlite else "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
    references = ", ".join(map(_reference, REFERENCES))
    columns = f"n, {at}, code, outcome, {references}, event, previous, hash"
    query = f"SELECT {columns} FROM audit_auditentry WHERE practice_id = %s ORDER BY n"  # noqa: S608 (no value in it)
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, [practice.hex if is_sqlite else practice])
        while rows := cursor.fetchmany(_AT_ONCE):
            yield from rows


def _reference(name: str) -> str:
    """SQLite holds a UUID as 32 hexadecimal digits; PostgreSQL is asked for the same."""
    return f"{name}_id" if connection.vendor == "sqlite" else f"replace({name}_id::text, '-', '')"


def _head(practice: uuid.UUID) -> tuple[int, bytes] | None:
    kept = AuditHead.objects.filter(practice_id=practice).first()
    return (kept.n, bytes(kept.hash)) if kept else None
