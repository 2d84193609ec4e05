"""Sealing: plaintext in, an object of format v1 out."""

from __future__ import annotations

import hashlib
from typing import Protocol, Self

from portal.vault.context import Context
from portal.vault.encoding import Buffer, Bytes
from portal.vault.exact_bytes import ExactBytes
from portal.vault.header import (
    CHUNK_BYTES,
    HEADER_BYTES,
    SEALED_CHUNK_BYTES,
    TAG_BYTES,
    chunk_count,
    sealed_length,
)
from portal.vault.object_key import begin_object


class Sink(Protocol):
    """Where ciphertext goes. `write` takes all of it or raises, and keeps no hold of `data`, which is used again."""

    def write(self, data: Bytes, /) -> object: ...


def seal_bytes(plaintext: Buffer, *, dek: bytes, dek_id: bytes, context: Context) -> bytes:
    """`plaintext` as a sealed object."""
    view = memoryview(plaintext).cast("B")
    header, cipher = begin_object(dek=dek, dek_id=dek_id, context=context, length=len(view))
    sealed = ExactBytes(sealed_length(len(view)))
    sealed.view[:HEADER_BYTES] = header
    last = chunk_count(len(view)) - 1
    for index in range(last + 1):
        chunk = view[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]
        start = HEADER_BYTES + index * SEALED_CHUNK_BYTES
        room = sealed.view[start : start + len(chunk) + TAG_BYTES]
        cipher.seal_into(index, chunk, room, is_last=index == last)
        del room  # a view left open would cost a copy in `finish`
    return sealed.finish()


class Sealer:
    """Seals a stream whose length is known, holding one chunk in memory.

        with Sealer(fileobj, dek=dek, dek_id=dek_id, context=context, length=n) as sealer:
            for block in source:
                sealer.write(block)

    Raises ValueError when more or fewer than `length` bytes come. Leaving the block by an error closes nothing:
    the object stays without its end, which no reader accepts.
    """

    def __init__(self, fileobj: Sink, *, dek: bytes, dek_id: bytes, context: Context, length: int) -> None:
        header, self._cipher = begin_object(dek=dek, dek_id=dek_id, context=context, length=length)
        self._file = fileobj
        self._hash = hashlib.sha256()
        self._missing = length
        self._last = chunk_count(length) - 1
        self._index = 0
        self._pending = bytearray()
        self._room = memoryview(bytearray(min(length, CHUNK_BYTES) + TAG_BYTES))
        self._put(header)

    def write(self, buf: Buffer) -> None:
        """Take the next bytes of the plaintext."""
        view = memoryview(buf).cast("B")
        if len(view) > self._missing:
            raise ValueError("More bytes came than the object was announced with.")
        self._missing -= len(view)
        while view:
            view = self._take(view)

    def close(self) -> None:
        """Seal the last chunk. Raises ValueError while bytes are missing."""
        if self._missing:
            raise ValueError("Fewer bytes came than the object was announced with.")
        if not self._is_closed:
            self._seal(self._pending)

    @property
    def digest(self) -> str:
        """SHA-256 of the ciphertext, in hex, once closed."""
        if not self._is_closed:
            raise ValueError("The digest is known once the object is closed.")
        return self._hash.hexdigest()

    @property
    def _is_closed(self) -> bool:
        return self._index > self._last

    def _take(self, view: memoryview) -> memoryview:
        """Use the front of `view`, return the rest; a whole chunk is sealed where it lies.

        The last chunk waits for `close`: until then the object has no end, whatever happens to its writer.
        """
        is_last = self._index == self._last
        if not is_last and not self._pending and len(view) >= CHUNK_BYTES:
            self._seal(view[:CHUNK_BYTES])
            return view[CHUNK_BYTES:]
        room = CHUNK_BYTES - len(self._pending)
        self._pending += view[:room]
        if not is_last and len(self._pending) == CHUNK_BYTES:
            self._seal(self._pending)
            self._pending.clear()
        return view[room:]

    def _seal(self, chunk: Bytes) -> None:
        sealed = self._room[: len(chunk) + TAG_BYTES]
        self._cipher.seal_into(self._index, chunk, sealed, is_last=self._index == self._last)
        self._index += 1
        self._put(sealed)

    def _put(self, sealed: Bytes) -> None:
        self._hash.update(sealed)
        self._file.write(sealed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        if error_type is None:
            self.close()
