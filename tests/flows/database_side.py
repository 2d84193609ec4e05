"""Beside an installation at its database: reads rows without Django every few milliseconds, and holds writers up."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from tests.flows.installation import Installation


class DatabaseSide:
    """One connection of its own. Ids are written into the SQL as 32 hex digits, which both engines understand."""

    def __init__(self, installation: Installation) -> None:
        self._url = installation.environment.get("DATABASE_URL", "")
        self._file = installation.state / "db.sqlite3"
        self._connection = self._connect()

    def _connect(self) -> Any:
        if not self._url:
            return sqlite3.connect(self._file, timeout=30, isolation_level=None)
        import psycopg

        return psycopg.connect(self._url, autocommit=True)

    def row(self, sql: str) -> tuple[Any, ...] | None:
        """The first row."""
        found: tuple[Any, ...] | None = self._connection.execute(sql).fetchone()
        return found

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def writers_waiting(self, table: str) -> Iterator[None]:
        """Nobody else can write to the table (in SQLite: to anything) inside this block; reading goes on."""
        with closing(self._connect()) as connection:
            if self._url:
                connection.execute("BEGIN")
                connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
            else:
                connection.execute("BEGIN IMMEDIATE")
            yield
            connection.rollback()
