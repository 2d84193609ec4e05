"""The vault's folder: write-once files of ciphertext with random names.

    ROOT/ab/ab3f…   a pack, 32 hexadecimal digits, in a folder of its first two
    ROOT/tmp/…      packs that aren't finished

A name says nothing of what is inside. Only sealed bytes reach the disk: the writer takes plaintext and a key, and
has no way to write one without the other.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from portal.vault import entropy
from portal.vault.context import Context
from portal.vault.copies import Copied, Hashed, blocks_of, copy_sealed, copy_stream
from portal.vault.disk import (
    UnfinishedFile,
    fsync_folder,
    full_disk_as_storage_full,
    is_abandoned,
    make_folder,
)
from portal.vault.encoding import Buffer
from portal.vault.pack_cache import PackCache
from portal.vault.packs import Extent, Pack, PackWriter
from portal.vault.reasons import Reason, damaged

__all__ = ["Extent", "Pack", "PackWriter", "Store"]

OPEN_PACKS = 64  # a map each; a patient's study has a handful of packs
_NAME = re.compile(r"[0-9a-f]{32}", re.ASCII)


class Store:
    """A vault folder at `root`, created when missing. One per process is enough; safe for threads."""

    def __init__(self, root: Path, *, open_packs: int = OPEN_PACKS) -> None:
        self._root = Path(root)
        self._unfinished = self._root / "tmp"
        with full_disk_as_storage_full():
            make_folder(self._unfinished)
        self._cache = PackCache(lambda name: Pack(self._path(name)), limit=open_packs)

    def new_pack(self) -> PackWriter:
        """Begin a pack. Nothing of it is visible before its `commit`."""
        name = entropy.random_bytes(16).hex()
        return PackWriter(name, UnfinishedFile(self._unfinished / name), self._path(name))

    def put(self, plaintext: Buffer, *, dek: bytes, dek_id: bytes, context: Context) -> str:
        """Seal `plaintext` into a pack of its own and return its name; read it with `open_pack(name).whole()`."""
        with self.new_pack() as pack:
            pack.append(plaintext, dek=dek, dek_id=dek_id, context=context)
            return pack.commit()

    def open_pack(self, name: str) -> Pack:
        """The pack called `name`. Raises VaultDamaged when the name can't be one or nothing is there."""
        return self._cache.get(name)

    def exists(self, name: str) -> bool:
        """Whether a pack of this name is stored."""
        return self._path(name).is_file()

    def length(self, name: str) -> int | None:
        """The bytes of a stored pack without reading them, None when nothing is there."""
        try:
            return self._path(name).stat().st_size
        except FileNotFoundError:
            return None

    def adopt(self, name: str, other: Store) -> Copied:
        """Copy a pack, sealed as it is, from another store (a backup's); one that is already here is put in place of.

        Raises VaultDamaged when it isn't there or doesn't begin as a sealed object does, StorageFull.
        """
        return copy_sealed(other._path(name), self._unfinished / name, self._path(name))

    def adopt_stream(self, name: str, file: BinaryIO) -> Copied:
        """The same from a stream: a store that is no folder."""
        return copy_stream(file, self._unfinished / name, self._path(name))

    def sealed(self, name: str) -> BinaryIO:
        """The pack's bytes as they lie, sealed. Raises VaultDamaged when it isn't there."""
        try:
            return self._path(name).open("rb")
        except FileNotFoundError:
            raise damaged(Reason.PACK_MISSING) from None

    def digest(self, name: str) -> Copied:
        """Length and SHA-256 of a stored pack, read once. Raises VaultDamaged as `adopt` does."""
        with self.sealed(name) as file:
            hashed = Hashed(file)
            for _ in blocks_of(hashed):
                pass
            return hashed.copied()

    def delete(self, name: str) -> None:
        """Remove a pack for good. One that is already gone is no error: a task may come twice.

        A reader that has it open finishes. What must be unreadable at once is shredded by its key, not by this.
        """
        path = self._path(name)
        self._cache.forget(name)
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            fsync_folder(path.parent)

    def names(self, *, older_than_s: float = 0) -> Iterator[str]:
        """Every stored name of that age, in no order. What no row knows of was left by a crash before its commit."""
        newest = time.time() - older_than_s
        for folder in self._root.glob("[0-9a-f][0-9a-f]"):
            for path in folder.iterdir():
                if _NAME.fullmatch(path.name) and _modified_at(path) <= newest:
                    yield path.name

    def sweep_abandoned(self, older_than_s: float) -> int:
        """Remove unfinished files whose writer has died and that nobody touched for so long; return how many."""
        # The file system's own times are compared with the clock it sets them by, not with the database's.
        newest = time.time() - older_than_s
        swept = 0
        for path in self._unfinished.iterdir():
            if _modified_at(path) <= newest and is_abandoned(path):
                path.unlink(missing_ok=True)
                swept += 1
        return swept

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise damaged(Reason.PACK_NAME)
        return self._root / name[:2] / name


def _modified_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
