"""Transactions that a test's threads left open in PostgreSQL: emptying the tables would wait for them for ever."""

from __future__ import annotations

import time
import warnings

from django.db.backends.base.base import BaseDatabaseWrapper

WAIT_S = 10.0
_LEFT = "datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%%'"


def end_what_was_left_open(connection: BaseDatabaseWrapper, *, wait_s: float = WAIT_S) -> None:
    """Give them time to end by themselves; end those that don't, and say aloud what they asked last."""
    if connection.vendor != "postgresql":
        return
    until = time.monotonic() + wait_s
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {_LEFT}")
            if cursor.fetchone()[0] == 0:
                return
            time.sleep(0.05)
        cursor.execute(f"SELECT query, pg_terminate_backend(pid) FROM pg_stat_activity WHERE {_LEFT}")
        left = [query for query, _ in cursor.fetchall()]
    with warnings.catch_warnings():
        # Told in the run's summary: whatever test left it has ended already.
        warnings.simplefilter("default")
        for query in left:
            warnings.warn(f"A transaction was left open after: {query[:200]}", stacklevel=2)
