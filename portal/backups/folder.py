"""A target that is a folder: on another disk, another machine's share, or a vendor's mounted store.

ROOT/tmp/     what isn't finished
ROOT/lock     held while something is written
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, ClassVar

from portal.backups.sealed_set import SetWriter
from portal.backups.target import Target
from portal.errors import Conflict
from portal.vault.copies import Copied
from portal.vault.disk import fsync_folder, full_disk_as_storage_full, make_folder
from portal.vault.store import Store


class FolderObjects:
    """Packs in a folder like the vault's own."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def length(self, name: str) -> int | None:
        return self._store.length(name)

    def names(self, *, older_than_s: float = 0) -> Iterator[str]:
        return self._store.names(older_than_s=older_than_s)

    def take(self, name: str, here: Store) -> Copied:
        return self._store.adopt(name, here)

    def give(self, name: str, here: Store) -> Copied:
        return here.adopt(name, self._store)

    def delete(self, name: str) -> None:
        self._store.delete(name)


class FolderTarget(Target):
    """The backups under `root`."""

    setting: ClassVar[str] = "SCANPASS_BACKUP_DIR"

    def __init__(self, root: Path) -> None:
        self.root: Path = Path(root)
        self.address = str(self.root)

    @property
    def aside(self) -> Path:
        return self.root / "tmp"

    @property
    def objects(self) -> FolderObjects:
        return FolderObjects(Store(self.root / "objects"))

    @contextmanager
    def locked(self) -> Iterator[None]:
        with full_disk_as_storage_full():
            make_folder(self.root)
        with one_writer(self.root / "lock"):
            shutil.rmtree(self.aside, ignore_errors=True)
            yield

    def publish(self, written: SetWriter) -> str:
        written.finish()
        place = self.root / self.path_of(written.kind, written.name)
        with full_disk_as_storage_full():
            make_folder(place.parent)
            written.folder.rename(place)
            fsync_folder(place.parent)
        return written.name

    def drop(self, kind: str, name: str) -> None:
        # Renamed first, so that one that is being deleted is never taken for a whole one.
        self.aside.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.root / self.path_of(kind, name)).rename(self.aside / name)
        shutil.rmtree(self.aside / name)

    def _listed(self, folder: str) -> list[str]:
        place = self.root / folder
        return [path.name for path in place.iterdir()] if place.is_dir() else []

    def _open(self, path: str) -> BinaryIO:
        return (self.root / path).open("rb")

    def _has_begun(self) -> bool:
        return self.aside.is_dir()


@contextmanager
def one_writer(lock: Path) -> Iterator[None]:
    """Hold the lock file. Raises `Conflict` while another process does; the kernel drops it with the process."""
    with full_disk_as_storage_full():
        fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("Another backup is being written here. Wait for its end.") from None
        yield
    finally:
        os.close(fd)
