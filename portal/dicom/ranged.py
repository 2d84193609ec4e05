"""Bytes that lie elsewhere, taken as they are asked for: sliced like `bytes`, read like a file.

Runs in the confined child, where a large file is never whole, and in the parent over a member of a ZIP.
"""

from __future__ import annotations

import io
from typing import BinaryIO, Final, cast

from portal.dicom.acceptance import MAX_FRAME_BYTES
from portal.dicom.verdicts import refused
from portal.positions import PositionedFile

BUFFER_BYTES: Final = 256 << 10


class Ranged:
    """`length` bytes of which a subclass gives any stretch."""

    def __init__(self, length: int) -> None:
        self._length = length

    def some(self, start: int, stop: int) -> bytes:
        """At least one of the bytes from `start` to `stop` (exclusive), beginning at `start`: what is cheap to give."""
        raise NotImplementedError

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, place: slice) -> bytes:
        """The bytes of a slice, cut to the length. Raises `IngestRefused("too-large")` beyond the largest frame."""
        start, stop, _ = place.indices(self._length)
        if stop - start > MAX_FRAME_BYTES:
            raise refused("too-large")
        pieces = []
        while start < stop:
            pieces.append(self.some(start, stop))
            start += len(pieces[-1])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def open(self, offset: int) -> BinaryIO:
        """A file object at `offset`."""
        stream = io.BufferedReader(_RangedFile(self), BUFFER_BYTES)
        stream.seek(offset)
        return cast(BinaryIO, stream)


class _RangedFile(PositionedFile):
    def __init__(self, source: Ranged) -> None:
        super().__init__(len(source))
        self._source = source

    def readinto(self, room: memoryview, /) -> int:  # type: ignore[override]
        stop = min(self.position + len(room), self.length)
        if stop <= self.position:
            return 0
        piece = self._source.some(self.position, stop)
        room[: len(piece)] = piece
        self.position += len(piece)
        return len(piece)
