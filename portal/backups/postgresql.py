"""Dumping and loading PostgreSQL by its own pg_dump and pg_restore, in one exported snapshot."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connection, connections
from psycopg import Error

from portal.errors import Conflict, StorageFull, Unavailable, VaultDamaged

Ask = Callable[[str], list[tuple[Any, ...]]]
Dump = Callable[[tuple[str, ...]], Path]


@contextmanager
def moment(work: Path) -> Iterator[tuple[Ask, Dump]]:
    """One moment of the database: `ask(sql)` reads it, `dump(tables)` writes it without the rows of those tables.

    A connection of its own, because the snapshot lasts as long as its transaction.
    """
    dumped = work / "database"
    with closing(connection.get_new_connection(connection.get_connection_params())) as own:
        own.autocommit = False
        cursor = own.cursor()
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()

        def ask(sql: str) -> list[tuple[Any, ...]]:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

        def dump(left_out: tuple[str, ...]) -> Path:
            without = [f"--exclude-table-data={table}" for table in left_out]
            _run(
                "pg_dump", "--format=custom", f"--snapshot={snapshot}", *without, f"--file={dumped}", *_PLAIN
            )
            return dumped

        yield ask, dump
    dumped.unlink(missing_ok=True)


_PLAIN = ("--no-owner", "--no-privileges")


def load(dump: Path) -> None:
    """Load a dump, all of it or nothing. Raises `VaultDamaged` when it isn't one."""
    connections.close_all()
    name = str(connection.settings_dict["NAME"])
    try:
        _run("pg_restore", "--single-transaction", "--exit-on-error", *_PLAIN, str(dump), f"--dbname={name}")
    except Unavailable:
        raise VaultDamaged(
            "database",
            "PostgreSQL could not load the database of this backup. Is it this version of PostgreSQL or a newer one,"
            " and is its database empty?",
        ) from None


def _run(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on our database; its messages may hold rows, so none is shown."""
    place = connection.settings_dict
    if shutil.which(program) is None:
        raise Conflict(
            f"{program} is not installed. Install PostgreSQL's client programs (Debian: postgresql-client)."
        )
    known = {
        "PGHOST": "HOST",
        "PGPORT": "PORT",
        "PGUSER": "USER",
        "PGPASSWORD": "PASSWORD",
        "PGDATABASE": "NAME",
    }
    env = {name: str(place[key]) for name, key in known.items() if place.get(key)}
    done = subprocess.run([program, *arguments], env={**os.environ, **env}, capture_output=True, check=False)
    if done.returncode and b"No space left on device" in done.stderr:
        raise StorageFull
    if done.returncode:
        raise Unavailable(f"{program} could not do its work on the database. Nothing was changed.")


@contextmanager
def scratch() -> Iterator[str]:
    """A database of its own for a drill, gone afterwards; yields its address. Raises `Conflict`."""
    place = connection.settings_dict
    name = f"scanpass_drill_{secrets.token_hex(4)}"
    with closing(connection.get_new_connection(connection.get_connection_params())) as own:
        own.autocommit = True
        try:
            own.execute(f'CREATE DATABASE "{name}"')
        except Error:
            raise Conflict(
                "The drill needs a database to restore into, and PostgreSQL let this user make none."
                " Allow it once: ALTER ROLE … CREATEDB."
            ) from None
        try:
            user = ":".join(quote(str(place[key]), safe="") for key in ("USER", "PASSWORD") if place.get(key))
            yield f"postgresql://{user}@{place.get('HOST') or ''}:{place.get('PORT') or 5432}/{name}"
        finally:
            own.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
