"""The one clock: the database's, so that every process on every machine agrees on expiry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection

# Tests move time by this; nothing else may.
_offset = timedelta(0)

_QUESTION = {
    "sqlite": "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
    # Not now(): that is the start of the transaction, and a long one would live in the past.
    "postgresql": "SELECT clock_timestamp() AT TIME ZONE 'UTC'",
}


def now() -> datetime:
    """The database's time, aware, in UTC."""
    with connection.cursor() as cursor:
        cursor.execute(_QUESTION[connection.vendor])
        (answer,) = cursor.fetchone()
    moment = datetime.fromisoformat(answer) if isinstance(answer, str) else answer
    return moment.replace(tzinfo=UTC) + _offset
