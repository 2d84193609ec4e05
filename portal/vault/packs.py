"""A pack: sealed objects back to back in one file, with nothing between them and nothing in front.

Where each one lies is an `Extent`, kept in the study's sealed manifest. One pack per series means one open file,
one mmap, and range reads where the vault is an object store.
"""

from __future__ import annotations

import hashlib
import hmac
import mmap
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from portal.vault.context import Context
from portal.vault.disk import UnfinishedFile
from portal.vault.encoding import Buffer
from portal.vault.reasons import Reason, damaged
from portal.vault.stream import Sealer

AROUND_BYTES = 65_536  # fault_around_bytes, proc(5)


@dataclass(frozen=True, slots=True)
class Extent:
    """Where an object lies in its pack: `offset` and `length` in sealed bytes, and SHA-256 of them in hex."""

    offset: int
    length: int
    sha256: str


class PackWriter:
    """Writes one pack. Nothing is visible before `commit`; an error in any append discards the whole.

        with store.new_pack() as pack:
            extents = [pack.append(frame, dek=dek, dek_id=dek_id, context=context) for ...]
            name = pack.commit()

    Leaving the block without `commit` aborts. Raises StorageFull when the disk is full, and then nothing is left.
    """

    def __init__(self, name: str, file: UnfinishedFile, target: Path) -> None:
        self._name = name
        self._file = file
        self._target = target
        self._is_open = True

    def append(self, plaintext: Buffer, *, dek: bytes, dek_id: bytes, context: Context) -> Extent:
        """Seal `plaintext` as the next object."""
        view = memoryview(plaintext).cast("B")
        return self.append_stream([view], len(view), dek=dek, dek_id=dek_id, context=context)

    def append_stream(
        self, chunks: Iterable[Buffer], length: int, *, dek: bytes, dek_id: bytes, context: Context
    ) -> Extent:
        """Seal the `length` bytes that come in `chunks` (of any sizes) as the next object, holding one chunk."""
        with self._all_or_nothing():
            offset = self._file.length
            with Sealer(self._file, dek=dek, dek_id=dek_id, context=context, length=length) as sealer:
                for chunk in chunks:
                    sealer.write(chunk)
            return Extent(offset, self._file.length - offset, sealer.digest)

    def commit(self) -> str:
        """Show the pack, complete and for good; its name is what `Store.open_pack` takes."""
        with self._all_or_nothing():
            if not self._file.length:
                raise ValueError("An empty pack holds nothing to find again.")
            self._file.publish(self._target)
        self._is_open = False
        return self._name

    def abort(self) -> None:
        """Leave nothing behind. After `commit` or `abort` this does nothing."""
        if self._is_open:
            self._is_open = False
            self._file.discard()

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        if not self._is_open:
            raise ValueError("This pack is already finished.")
        try:
            yield
        except BaseException:
            self.abort()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.abort()


class Pack:
    """A pack opened for reading, shared by threads.

    It is mapped, never closed by hand: the map goes when the last view of it does, so no thread can lose the bytes
    it is reading to another that closes the pack. Packs are written once; one that is cut short behind our back
    would end the process (SIGBUS), never show wrong bytes.
    """

    __slots__ = ("_map", "_view")

    def __init__(self, path: Path) -> None:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise damaged(Reason.PACK_MISSING) from None
        try:
            self._map = _map(fd)
        finally:
            os.close(fd)
        self._view = memoryview(self._map)

    def view(self, extent: Extent) -> memoryview:
        """The sealed bytes of `extent`, not copied. Raises VaultDamaged when it isn't inside the pack."""
        return self.view_at(extent.offset, extent.length)

    def view_at(self, offset: int, length: int) -> memoryview:
        """The `length` sealed bytes from `offset`, not copied. Raises VaultDamaged when they aren't inside the pack."""
        stop = offset + length
        if not 0 <= offset < stop <= len(self._view):
            raise damaged(Reason.EXTENT)
        return self._view[offset:stop]

    def whole(self) -> memoryview:
        """All the sealed bytes: the object, where a pack holds one alone."""
        return self._view

    def let_go(self, offset: int, length: int) -> None:
        """Take a stretch that was read out of this process's memory; read again, it comes back from the system's cache.

        A long download would otherwise count as memory of this process, page by page, up to the size of the pack.
        """
        # Linux maps the pages around each one it is asked for, so some before the stretch came back with it.
        start = max(0, offset - AROUND_BYTES) // mmap.PAGESIZE * mmap.PAGESIZE
        if hasattr(mmap, "MADV_DONTNEED") and start < len(self._view):
            self._map.madvise(mmap.MADV_DONTNEED, start, min(offset + length, len(self._view)) - start)

    def check(self, extent: Extent) -> None:
        """Hold the stored ciphertext against its hash, without a key. Raises VaultDamaged when it differs."""
        if not hmac.compare_digest(hashlib.sha256(self.view(extent)).hexdigest(), extent.sha256):
            raise damaged(Reason.EXTENT_HASH)


def _map(fd: int) -> mmap.mmap:
    if not os.fstat(fd).st_size:
        raise damaged(Reason.EXTENT)
    return mmap.mmap(fd, 0, access=mmap.ACCESS_READ)
