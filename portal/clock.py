"""The one clock: the database's, so that every process on every machine agrees on expiry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection

# Tests move time by this; nothing else may.
_offset = timedelta(0)

_EXPRESSION = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', 'now')",
    # Not now(): that is the start of the transaction, and a long one would live in the past.
    "postgresql": "clock_timestamp() AT TIME ZONE 'UTC'",
}


def now() -> datetime:
    """The database's time, aware, in UTC."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression()}")
        (answer,) = cursor.fetchone()
    return moment(answer)


def expression() -> str:
    """The time in SQL, for a question that asks for more than the time; `moment` reads the answer."""
    return _EXPRESSION[connection.vendor]


def comparable() -> str:
    """The time as a statement with parameters holds it against stored times, without asking for it first."""
    if connection.vendor == "postgresql":
        return "clock_timestamp()" if not _offset else f"clock_timestamp() + INTERVAL '{_seconds()} seconds'"
    shift = f", '{_seconds()} seconds'" if _offset else ""
    return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now'{shift})"


def _seconds() -> str:
    return f"{_offset.total_seconds():+.6f}"


def moment(answer: datetime | str) -> datetime:
    """The database's answer to `expression`, aware, in UTC."""
    told = datetime.fromisoformat(answer) if isinstance(answer, str) else answer
    return told.replace(tzinfo=UTC) + _offset
