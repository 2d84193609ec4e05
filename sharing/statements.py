"""The statements of the hot path, in SQL that SQLite and PostgreSQL both read.

The ORM would take longer to write these than the database to answer them, several times for each batch of frames.
Every value is bound; only this file's own constants are put into a statement.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.db import connection

from portal import clock

NOW: Final = "{now}"  # `at_once` puts the database's time here, so that nobody asks for it first

SESSION_LIVES: Final = (
    f"s.step = 'verified' AND s.ended_at IS NULL AND s.idle_until > {NOW} AND s.ends_at > {NOW}"
)
SHARE_LIVES: Final = (
    "h.revoked_at IS NULL AND h.locked_at IS NULL AND h.suspended_at IS NULL AND h.expired_noted_at IS NULL"
    f" AND h.expires_at > {NOW}"
)

GATE: Final = (
    f"SELECT {NOW}, CASE WHEN {SESSION_LIVES} THEN 1 ELSE 0 END, CASE WHEN {SHARE_LIVES} THEN 1 ELSE 0 END,"  # noqa: S608
    " h.expires_at, s.idle_until, t.generation, t.manifest_sha256"
    " FROM sharing_sharesession s JOIN sharing_share h ON h.id = s.share_id"
    " LEFT JOIN records_study t ON t.id = %s AND t.practice_id = h.practice_id AND t.state = 'stored'"
    " WHERE s.id = %s"
)
"""(study, session) → the time, session lives, share lives, the share's expiry, when the session idles out, and what
a remembered study must still be (nothing where the practice has no such study)"""

RAISE_RECIPIENT: Final = (
    "UPDATE sharing_tally SET levels = levels | %s, frames = frames + %s,"  # noqa: S608
    " length_bytes = length_bytes + %s, last_at = %s"
    " WHERE session_id = %s AND series_id = %s AND closed_at IS NULL AND EXISTS ("
    "SELECT 1 FROM sharing_sharesession s JOIN sharing_share h ON h.id = s.share_id"
    f" WHERE s.id = %s AND {SESSION_LIVES} AND {SHARE_LIVES})"
)
"""(level bit, frames, bytes, moment, session, series, session)"""

RAISE_STAFF: Final = (
    "UPDATE sharing_tally SET levels = levels | %s, frames = frames + %s,"
    " length_bytes = length_bytes + %s, last_at = %s"
    " WHERE session_id IS NULL AND staff_session = %s AND series_id = %s AND closed_at IS NULL"
)
"""(level bit, frames, bytes, moment, staff session, series)"""

USE: Final = "UPDATE sharing_sharesession SET idle_until = %s WHERE id = %s AND idle_until < %s"
"""(idle until, session, only if it idles out before)"""

STUDY_VERSION: Final = (
    "SELECT generation, manifest_sha256 FROM records_study"
    " WHERE id = %s AND practice_id = %s AND state = 'stored'"
)
"""(study, practice) → what a remembered study must still be"""


def at_once(statement: str) -> str:
    """The statement with the database's own time in it."""
    return _timed(statement, clock.comparable())


@lru_cache(maxsize=64)
def _timed(statement: str, now: str) -> str:
    return statement.replace(NOW, now)


def bound(value: UUID | datetime | None) -> Any:
    """The value as this database's driver takes it; the ORM does the same."""
    if value is None:
        return None
    if isinstance(value, UUID):
        return value if connection.features.has_native_uuid_field else value.hex
    return connection.ops.adapt_datetimefield_value(value)


def moment_of(answer: str | datetime) -> datetime:
    """A time as the driver returned it, aware."""
    told = datetime.fromisoformat(answer) if isinstance(answer, str) else answer
    return told.replace(tzinfo=told.tzinfo or UTC)
