"""The bytes of a file that is to be read: in memory where it is small, else taken from where it lies, piece by piece.

A file of any size costs an ingest the same memory: whoever reads it asks for stretches, and nobody for the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final, Protocol

Buffer = bytes | bytearray | memoryview

WINDOW_BYTES: Final = 16 << 20
"""A file of at most this is held in memory; of a larger one the confined child sees at most this at a time."""
PIECE_BYTES: Final = 256 << 10


class Content(Protocol):
    """The bytes of one file. What isn't in memory is read by one thread at a time."""

    length: int
    is_in_memory: bool

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[Buffer]:
        """The bytes from `start` to `stop` (exclusive) in order; a piece may be overwritten by the next."""


class Whole:
    """A file in memory."""

    is_in_memory = True

    def __init__(self, data: Buffer) -> None:
        self._view = memoryview(data).cast("B")
        self.length = len(self._view)

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[Buffer]:
        """All that is asked for, at once."""
        if view := self._view[start:stop]:
            yield view


class OnDemand:
    """A file of `length` bytes that is opened as it is read: a sealed one, chunk by chunk."""

    is_in_memory = False

    def __init__(self, file: BinaryIO, length: int) -> None:
        self._file, self.length = file, length

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[Buffer]:
        """In pieces of 256 KiB. Raises `EOFError` if the file is shorter than was said."""
        end = self.length if stop is None else min(stop, self.length)
        room = memoryview(bytearray(min(PIECE_BYTES, max(0, end - start))))
        while start < end:
            self._file.seek(start)
            count = self._file.readinto(room[: end - start])  # type: ignore[attr-defined]
            if not count:
                raise EOFError
            yield room[:count]
            start += count


def content_of(data: Buffer | Content) -> Content:
    """`data` as a content; bytes are one in memory."""
    return Whole(data) if isinstance(data, bytes | bytearray | memoryview) else data
