"""The folder that holds the backups: on another disk, another machine's share, or a vendor's mounted store.

    TARGET/objects/ab/ab3f…    packs of the vault, byte for byte: they are sealed already, and written once
    TARGET/snapshots/NAME/     the database and the list of packs at a moment (a sealed set)
    TARGET/epochs/NAME/        the key slots and what was revoked at a moment (a sealed set); kept 35 days
    TARGET/tmp/                what isn't finished

Key slots are kept apart from the snapshots and always restored from the newest epoch, so that what was shredded stays
shredded however old the snapshot is.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.backups.sealed_set import SealedSet, open_set
from portal.errors import Conflict, NotFound
from portal.vault.disk import full_disk_as_storage_full, make_folder
from portal.vault.store import Store

_NAME = re.compile(r"\d{6}-\d{8}T\d{6}Z", re.ASCII)


class Target:
    """The backups under `root`. Reading makes nothing; writing is done under `locked`."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self.aside = self.root / "tmp"

    @property
    def objects(self) -> Store:
        """The packs that were copied."""
        return Store(self.root / "objects")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One writer at a time; what a killed one left unfinished is removed. Raises `Conflict`."""
        with full_disk_as_storage_full():
            make_folder(self.root)
            fd = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict("Another backup is being written here. Wait for its end.") from None
            shutil.rmtree(self.aside, ignore_errors=True)
            yield
        finally:
            os.close(fd)

    def snapshots(self) -> list[str]:
        """The names of all finished snapshots, the oldest first."""
        return _names(self.root / "snapshots")

    def epochs(self) -> list[str]:
        """The names of all finished epochs, the oldest first."""
        return _names(self.root / "epochs")

    def snapshot(self, name: str | None = None) -> SealedSet:
        """The named snapshot, or the newest. Raises `NotFound`, `VaultDamaged`, `Sealed`."""
        known = self.snapshots()
        if not known:
            raise NotFound(
                f"There is no finished backup in {self.root}."
                + (" One was begun and not finished." if self.aside.is_dir() else "")
                + " Name the folder that SCANPASS_BACKUP_DIR named."
            )
        if name is not None and name not in known:
            raise NotFound(f"There is no backup {name}. There are: {', '.join(known[-5:])}.")
        return open_set(self.root / "snapshots" / (name or known[-1]), "snapshot")

    def epoch(self, name: str | None = None) -> SealedSet:
        """The named epoch, or the newest. Raises `NotFound`, `VaultDamaged`, `Sealed`."""
        known = self.epochs()
        if not known or (name is not None and name not in known):
            raise NotFound(
                f"The set of keys is missing from {self.root}/epochs, so no image could be opened."
            )
        return open_set(self.root / "epochs" / (name or known[-1]), "epoch")


def next_number(names: list[str]) -> int:
    """The number of the set that comes after these."""
    return int(names[-1].partition("-")[0]) + 1 if names else 1


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name))
