"""Dumping and loading SQLite: its own online backup, which doesn't hold up writers."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, connections

from portal.errors import StorageFull, VaultDamaged
from portal.vault.disk import fsync_folder, full_disk_as_storage_full

Ask = Callable[[str], list[tuple[Any, ...]]]
Dump = Callable[[tuple[str, ...]], Path]


@contextmanager
def moment(work: Path) -> Iterator[tuple[Ask, Dump]]:
    """A copy of the database in `work`: `ask(sql)` reads it, `dump(tables)` empties those and gives the file."""
    copy = work / "database"
    live = Path(connection.settings_dict["NAME"])
    _need_room(live, work)
    with closing(sqlite3.connect(copy)) as there:
        with closing(sqlite3.connect(f"file:{live}?mode=ro", uri=True)) as here:
            here.backup(there)
        there.execute("PRAGMA journal_mode=DELETE")

        def dump(left_out: tuple[str, ...]) -> Path:
            # What is deleted is overwritten too: a key slot must not lie in a free page of the dump.
            there.execute("PRAGMA secure_delete=ON")
            for table in left_out:
                there.execute(f"DELETE FROM {table}")  # noqa: S608 (names of ours)
            there.commit()
            return copy

        yield lambda sql: there.execute(sql).fetchall(), dump
    copy.unlink()


def _need_room(live: Path, work: Path) -> None:
    """The copy is as large as the database, and sealed once more: it is asked for beforehand."""
    needed = live.stat().st_size
    free = shutil.disk_usage(work).free
    if free < needed + settings.RESERVED_DISK_BYTES // 8:
        raise StorageFull(
            f"There is no room for a copy of the database: {needed >> 20} MB are needed, {free >> 20} MB are free."
            " Nothing was changed, and the backups made before still stand."
        )


def load(dump: Path) -> None:
    """Put a dump in the place of the database file. Raises `VaultDamaged` when it isn't a whole database."""
    with closing(sqlite3.connect(f"file:{dump}?mode=ro", uri=True)) as there:
        try:
            (verdict,) = there.execute("PRAGMA integrity_check(1)").fetchone()
        except sqlite3.DatabaseError:
            verdict = "not a database"
    if verdict != "ok":
        raise VaultDamaged(
            "database", "The database in this backup is damaged. Restore the backup before it."
        )
    place = Path(connection.settings_dict["NAME"])
    connections.close_all()
    with full_disk_as_storage_full():
        aside = place.with_name(place.name + ".restoring")
        shutil.copyfile(dump, aside)
        aside.chmod(0o600)
        with aside.open("rb+") as file:
            os.fsync(file.fileno())
        aside.rename(place)
        fsync_folder(place.parent)
