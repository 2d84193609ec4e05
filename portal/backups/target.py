"""Where backups are kept: a folder, or a bucket of a store that speaks S3. The same names in both.

    TARGET/objects/ab/ab3f…    packs of the vault, byte for byte: they are sealed already, and written once
    TARGET/snapshots/NAME/     the database and the list of packs at a moment (a sealed set)
    TARGET/epochs/NAME/        the key slots and what was revoked at a moment (a sealed set); kept 35 days

Key slots are kept apart from the snapshots and always restored from the newest epoch, so that what was shredded stays
shredded however old the snapshot is. Nothing that isn't finished bears one of these names.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, ClassVar, Final, Protocol

from portal.backups.sealed_set import SealedSet, SetWriter, open_set
from portal.errors import NotFound, Unavailable
from portal.vault.copies import Copied
from portal.vault.store import Store

_NAME = re.compile(r"\d{6}-\d{8}T\d{6}Z", re.ASCII)
FOLDERS: Final = {"snapshot": "snapshots", "epoch": "epochs"}


class Refused(Unavailable):
    """The store of the backups does not let this machine do that."""


class Objects(Protocol):
    """The packs that were copied. What is listed is whole."""

    def length(self, name: str) -> int | None:
        """The bytes of a pack without reading them, None when it isn't there."""
        ...

    def names(self, *, older_than_s: float = 0) -> Iterator[str]:
        """Every pack that has been there for so long, in no order."""
        ...

    def take(self, name: str, here: Store) -> Copied:
        """Copy a pack from the vault, read once. Raises VaultDamaged when the vault's isn't there or isn't sealed."""
        ...

    def give(self, name: str, here: Store) -> Copied:
        """Copy a pack back into the vault. Raises VaultDamaged when it isn't there or isn't sealed."""
        ...

    def delete(self, name: str) -> None:
        """Remove a pack that no snapshot names."""
        ...


class Target(ABC):
    """The backups at `address`. Reading makes nothing; writing is done under `locked`."""

    address: str
    setting: ClassVar[str]
    # So old must be what no set names before it is deleted: where the lock isn't the place's, another may be writing.
    spare_s: ClassVar[float] = 0
    # The folder it is, where it is one.
    root: Path | None = None

    @property
    @abstractmethod
    def objects(self) -> Objects:
        """The packs, as they are now."""

    @abstractmethod
    def locked(self) -> AbstractContextManager[None]:
        """One writer at a time; what a killed one left unfinished is removed. Raises `Conflict`."""

    @property
    @abstractmethod
    def aside(self) -> Path:
        """The folder in which a set is built."""

    @abstractmethod
    def publish(self, written: SetWriter) -> str:
        """Give a set its place, whole and for good; returns its name."""

    @abstractmethod
    def drop(self, kind: str, name: str) -> None:
        """Delete a set; from its first moment on it isn't listed any more."""

    @abstractmethod
    def _listed(self, folder: str) -> list[str]:
        """The names of what is finished in `snapshots` or `epochs`, in any order."""

    @abstractmethod
    def _open(self, path: str) -> BinaryIO:
        """A file by its path below the target. Raises FileNotFoundError."""

    def _has_begun(self) -> bool:
        """Whether something unfinished lies there."""
        return False

    def names(self, kind: str) -> list[str]:
        """The names of all finished sets of a kind, the oldest first."""
        return sorted(filter(_NAME.fullmatch, self._listed(FOLDERS[kind])))

    def snapshots(self) -> list[str]:
        """The names of all finished snapshots, the oldest first."""
        return self.names("snapshot")

    def epochs(self) -> list[str]:
        """The names of all finished epochs, the oldest first."""
        return self.names("epoch")

    def new_set(self, kind: str, made_at: datetime) -> SetWriter:
        """Begin a set that comes after all there are; `publish` it once everything is in."""
        return SetWriter(self.aside, kind, next_number(self.names(kind)), made_at)

    def snapshot(self, name: str | None = None) -> SealedSet:
        """The named snapshot, or the newest. Raises `NotFound`, `VaultDamaged`, `Sealed`."""
        known = self.snapshots()
        if not known:
            raise NotFound(
                f"There is no finished backup in {self.address}."
                + (" One was begun and not finished." if self._has_begun() else "")
                + f" Name the place that {self.setting} named."
            )
        if name is not None and name not in known:
            raise NotFound(f"There is no backup {name}. There are: {', '.join(known[-5:])}.")
        return self._opened("snapshot", name or known[-1])

    def epoch(self, name: str | None = None) -> SealedSet:
        """The named epoch, or the newest. Raises `NotFound`, `VaultDamaged`, `Sealed`."""
        known = self.epochs()
        if not known or (name is not None and name not in known):
            raise NotFound(
                f"The set of keys is missing from the epochs of {self.address}, so no image could be opened."
            )
        return self._opened("epoch", name or known[-1])

    def _opened(self, kind: str, name: str) -> SealedSet:
        return open_set(name, kind, lambda file: self._open(self.path_of(kind, name, file)))

    @staticmethod
    def path_of(kind: str, name: str, file: str = "") -> str:
        """Where a set, or a file of it, lies below the target."""
        return f"{FOLDERS[kind]}/{name}" + (f"/{file}" if file else "")


def next_number(names: list[str]) -> int:
    """The number of the set that comes after these."""
    return int(names[-1].partition("-")[0]) + 1 if names else 1
