"""Sealing: plaintext in, an object of format v1 out."""

from __future__ import annotations

import hashlib
from typing import Protocol, Self

from portal.vault.context import Context
from portal.vault.encoding import Buffer
from portal.vault.header import CHUNK_BYTES, chunk_count
from portal.vault.object_key import begin_object


class Sink(Protocol):
    """Where ciphertext goes. `write` takes all of it or raises."""

    def write(self, data: bytes, /) -> object: ...


def seal_bytes(plaintext: Buffer, *, dek: bytes, dek_id: bytes, context: Context) -> bytes:
    """`plaintext` as a sealed object."""
    view = memoryview(plaintext).cast("B")
    header, cipher = begin_object(dek=dek, dek_id=dek_id, context=context, length=len(view))
    last = chunk_count(len(view)) - 1
    chunks = (
        cipher.seal(i, view[i * CHUNK_BYTES : (i + 1) * CHUNK_BYTES], is_last=i == last)
        for i in range(last + 1)
    )
    return b"".join((header, *chunks))


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
        self._pending = bytearray()
        self._index = 0
        self._closed = False
        self._put(header)

    def write(self, buf: Buffer) -> None:
        """Take the next bytes of the plaintext."""
        if self._closed:
            raise ValueError("This object is already closed.")
        view = memoryview(buf).cast("B")
        if len(view) > self._missing:
            raise ValueError("More bytes came than the object was announced with.")
        self._missing -= len(view)
        while view:
            view = self._fill(view)

    def close(self) -> None:
        """Seal the last chunk. Raises ValueError while bytes are missing."""
        if self._closed:
            return
        if self._missing:
            raise ValueError("Fewer bytes came than the object was announced with.")
        self._flush(is_last=True)
        self._closed = True

    @property
    def digest(self) -> str:
        """SHA-256 of the ciphertext, in hex, once closed."""
        if not self._closed:
            raise ValueError("The digest is known once the object is closed.")
        return self._hash.hexdigest()

    def _fill(self, view: memoryview) -> memoryview:
        # A full chunk is held back until more comes: only then is it known not to be the last.
        if len(self._pending) == CHUNK_BYTES:
            self._flush(is_last=False)
        room = CHUNK_BYTES - len(self._pending)
        self._pending += view[:room]
        return view[room:]

    def _flush(self, *, is_last: bool) -> None:
        self._put(self._cipher.seal(self._index, self._pending, is_last=is_last))
        self._index += 1
        self._pending = bytearray()

    def _put(self, sealed: bytes) -> None:
        self._hash.update(sealed)
        self._file.write(sealed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        if error_type is None:
            self.close()
