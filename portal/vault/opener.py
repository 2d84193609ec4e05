"""Opening: an object of format v1 in, verified plaintext out.

Nothing leaves before it is verified: `open_bytes` verifies the whole object, `Opener` each chunk.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from portal.vault.context import Context
from portal.vault.encoding import Buffer
from portal.vault.exact_bytes import ExactBytes
from portal.vault.header import (
    CHUNK_BYTES,
    HEADER_BYTES,
    SEALED_CHUNK_BYTES,
    TAG_BYTES,
    check_size,
    chunk_count,
    parse_header,
)
from portal.vault.object_key import recognise_object
from portal.vault.reasons import Reason, damaged


def open_bytes(sealed: Buffer, *, dek: bytes, dek_id: bytes, context: Context, length: int | None) -> bytes:
    """The plaintext of a sealed object, all of it verified before a byte is returned.

    `length` is what the authorised row says, in bytes; None only where no row knows it. An object of one chunk
    costs one allocation: hand in a slice of an mmap. Raises VaultDamaged by rules (1) to (14).
    """
    opener = Opener(sealed, dek=dek, dek_id=dek_id, context=context, length=length)
    if opener.chunk_count == 1:
        return opener.chunk(0)
    return opener.read_all()


def open_into(sealed: memoryview, room: memoryview, *, dek: bytes, dek_id: bytes, info: bytes) -> None:
    """Write the whole plaintext into `room`, which has its length; when this raises, none of it may be shown.

    What `Opener.read_into` does, for the thousands of small objects of a scan: `info` is the encoded context, from
    `Context.encode_run`. Raises VaultDamaged by rules (1) to (14).
    """
    if len(sealed) < HEADER_BYTES + TAG_BYTES:
        raise damaged(Reason.SHORT)
    raw_header = bytes(sealed[:HEADER_BYTES])
    header = parse_header(raw_header, length=len(room))
    check_size(len(sealed), header.length)
    cipher = recognise_object(header, raw_header, dek=dek, dek_id=dek_id, info=info)
    last = chunk_count(header.length) - 1
    for index in range(last + 1):
        start = HEADER_BYTES + index * SEALED_CHUNK_BYTES
        part = room[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]
        cipher.open_into(index, sealed[start : start + SEALED_CHUNK_BYTES], part, is_last=index == last)


class Opener:
    """Reads a sealed object chunk by chunk, in any order.

    `source` is a buffer (bytes, an mmap or a slice of one) or a seekable binary file; the object begins at `offset`
    and takes `sealed_length` bytes, by default all that follow. The header is verified on construction (rules 1 to 10,
    13 and 14), a chunk before it is released (11 and 12).

    Over a buffer an Opener may be shared by threads; over a file it moves the file's position.
    """

    def __init__(
        self,
        source: Buffer | BinaryIO,
        *,
        dek: bytes,
        dek_id: bytes,
        context: Context,
        length: int | None,
        offset: int = 0,
        sealed_length: int | None = None,
    ) -> None:
        self._window = _window(source, offset, sealed_length)
        if self._window.size < HEADER_BYTES + TAG_BYTES:
            raise damaged(Reason.SHORT)
        raw_header = bytes(self._window.at(0, HEADER_BYTES))
        header = parse_header(raw_header, length=length)
        check_size(self._window.size, header.length)
        self._cipher = recognise_object(header, raw_header, dek=dek, dek_id=dek_id, info=context.encode())
        self.length: int = header.length
        self.chunk_count: int = chunk_count(header.length)

    def chunk(self, index: int) -> bytes:
        """The verified bytes of chunk `index`, from 0."""
        if not 0 <= index < self.chunk_count:
            raise ValueError("There is no such chunk.")
        return self._cipher.open(index, self._sealed_chunk(index), is_last=index == self.chunk_count - 1)

    def chunks(self) -> Iterator[bytes]:
        """Every chunk in order, each verified before it is yielded; the last one as the last."""
        return (self.chunk(index) for index in range(self.chunk_count))

    def read_all(self) -> bytes:
        """The whole plaintext, all of it verified before a byte is returned."""
        plaintext = ExactBytes(self.length)
        self.read_into(plaintext.view)
        return plaintext.finish()

    def read_into(self, room: memoryview) -> None:
        """Write the whole plaintext into `room`, which has its length. When this raises, none of it may be shown."""
        last = self.chunk_count - 1
        for index in range(last + 1):
            part = room[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]
            self._cipher.open_into(index, self._sealed_chunk(index), part, is_last=index == last)

    def _sealed_chunk(self, index: int) -> memoryview:
        start = HEADER_BYTES + index * SEALED_CHUNK_BYTES
        return self._window.at(start, min(start + SEALED_CHUNK_BYTES, self._window.size))


class _Window(Protocol):
    """The sealed bytes of one object, wherever they lie."""

    size: int

    def at(self, start: int, stop: int) -> memoryview: ...


class _BufferWindow:
    __slots__ = ("_view", "size")

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self.size = len(view)

    def at(self, start: int, stop: int) -> memoryview:
        return self._view[start:stop]


class _FileWindow:
    """Reads into one buffer kept for the purpose: a fresh one each time costs more than the decryption."""

    __slots__ = ("_buffer", "_file", "_offset", "size")

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        self._file = file
        self._offset = offset
        self.size = size
        self._buffer = bytearray(min(size, SEALED_CHUNK_BYTES))

    def at(self, start: int, stop: int) -> memoryview:
        view = memoryview(self._buffer)[: stop - start]
        self._file.seek(self._offset + start)
        filled = 0
        while filled < len(view):
            count = self._file.readinto(view[filled:])  # type: ignore[attr-defined]
            if not count:
                raise damaged(Reason.SIZE)
            filled += count
        return view


def _window(source: Buffer | BinaryIO, offset: int, sealed_length: int | None) -> _Window:
    is_file = hasattr(source, "readinto")
    available = _file_size(source) if is_file else memoryview(source).nbytes  # type: ignore[arg-type]
    available = max(0, available - offset)
    size = available if sealed_length is None else sealed_length
    if offset < 0 or size < 0:
        raise ValueError("An object begins and ends at positions from 0.")
    if size > available:
        raise damaged(Reason.SIZE)
    if is_file:
        return _FileWindow(source, offset, size)  # type: ignore[arg-type]
    return _BufferWindow(memoryview(source).cast("B")[offset : offset + size])  # type: ignore[arg-type]


def _file_size(file: BinaryIO) -> int:
    return file.seek(0, os.SEEK_END)
