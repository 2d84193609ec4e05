"""Copying a sealed pack to another folder, hashed on the way: for backups, which hold no key and need none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from portal.vault.disk import UnfinishedFile
from portal.vault.header import MAGIC
from portal.vault.reasons import Reason, damaged

_BLOCK_BYTES = 1 << 20


class Copied(NamedTuple):
    """What was copied: its length in bytes and SHA-256 in hex."""

    length: int
    sha256: str


def copy_sealed(source: Path, aside: Path, target: Path) -> Copied:
    """Copy `source` to `target` by way of `aside`. Raises VaultDamaged for what isn't there or isn't sealed."""
    try:
        with source.open("rb") as file:
            return copy_stream(file, aside, target)
    except FileNotFoundError:
        raise damaged(Reason.PACK_MISSING) from None


def copy_stream(file: BinaryIO, aside: Path, target: Path) -> Copied:
    """The same for a pack that comes as a stream, from a store that is no folder."""
    first = file.read(_BLOCK_BYTES)
    if not first.startswith(MAGIC):
        raise damaged(Reason.MAGIC)
    aside.unlink(missing_ok=True)
    return _write(first, file.read, UnfinishedFile(aside), target)


class Hashed:
    """A sealed pack read once, from its start, and hashed on the way: what `copied` says is of what was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._length = 0

    def read(self, count: int) -> bytes:
        """The next bytes, empty at the end. Raises VaultDamaged for what doesn't begin as a sealed object does."""
        block = self._file.read(count)
        if not self._length and not block.startswith(MAGIC):
            raise damaged(Reason.MAGIC)
        self._digest.update(block)
        self._length += len(block)
        return block

    def copied(self) -> Copied:
        """What was read up to now."""
        return Copied(self._length, self._digest.hexdigest())


def blocks_of(file: Hashed) -> Iterator[bytes]:
    """All of it, block by block."""
    while block := file.read(_BLOCK_BYTES):
        yield block


def _write(first: bytes, read: Callable[[int], bytes], unfinished: UnfinishedFile, target: Path) -> Copied:
    digest = hashlib.sha256()
    block = first
    try:
        while block:
            digest.update(block)
            unfinished.write(block)
            block = read(_BLOCK_BYTES)
        unfinished.publish(target)
    except BaseException:
        unfinished.discard()
        raise
    return Copied(unfinished.length, digest.hexdigest())
