"""The plain bytes of a raw deflate stream at any place, of which never more than two stretches are in memory.

Where each stretch begins, the state of the unpacker is kept (its window, 32 KiB): a later read begins there, so
frames may be taken in any order. A stream of 2 GiB has 256 such states.

Source: RFC 1951; the way of zran.c, zlib's own example.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from portal.dicom.ranged import Ranged

STRETCH_BYTES: Final = 8 << 20
STRETCHES_KEPT: Final = 2
PACKED_BYTES: Final = 16 << 10
"""Read at a time. Each kept state holds on to its last piece, so a piece is small."""


@dataclass(frozen=True, slots=True)
class _Point:
    """The beginning of a stretch: the unpacker as it was there, and where its next packed byte lies."""

    unpacker: Any
    offset: int


class Inflated(Ranged):
    """What `packed(offset, length)` unpacks to: b"" from it is the end. `length` may be given later, by `measure`.

    Reading raises `zlib.error` for a damaged stream and `EOFError` for one that is cut.
    """

    def __init__(self, packed: Callable[[int, int], bytes], length: int = 0) -> None:
        super().__init__(length)
        self._packed = packed
        self._points = [_Point(zlib.decompressobj(-zlib.MAX_WBITS), 0)]
        self._kept: dict[int, bytes] = {}
        self.end_offset = 0

    def measure(self, limit: int) -> bool:
        """Unpack all of it once, to learn its length. Returns whether it is within `limit`; beyond, it stops."""
        self._length = 0
        for index in count():
            stretch = self._stretch(index)
            self._length += len(stretch)
            if self._length > limit or len(stretch) < STRETCH_BYTES:
                break
        return self._length <= limit

    def some(self, start: int, stop: int) -> bytes:
        """What of it lies in one stretch. Raises `EOFError` beyond the end."""
        index, within = divmod(start, STRETCH_BYTES)
        piece = self._stretch(index)[within : within + stop - start]
        if not piece:
            raise EOFError
        return piece

    def _stretch(self, index: int) -> bytes:
        """The stretch at `index`, b"" beyond the end."""
        if index not in self._kept:
            while (known := len(self._points)) <= index:
                self._unpack(known - 1)
                if len(self._points) == known:
                    return b""
            self._keep(index, self._unpack(index))
        return self._kept[index]

    def _keep(self, index: int, stretch: bytes) -> None:
        self._kept[index] = stretch
        if len(self._kept) > STRETCHES_KEPT:
            del self._kept[next(iter(self._kept))]

    def _unpack(self, index: int) -> bytes:
        """Unpack a stretch, and remember where the next one begins."""
        point = self._points[index]
        unpacker, offset = point.unpacker.copy(), point.offset
        plain, packed = bytearray(), b""
        while len(plain) < STRETCH_BYTES and not unpacker.eof:
            if not packed:
                packed = self._packed(offset, PACKED_BYTES)
                offset += len(packed)
                if not packed:
                    raise EOFError
            plain += unpacker.decompress(packed, STRETCH_BYTES - len(plain))
            packed = unpacker.unconsumed_tail
        if unpacker.eof:
            self.end_offset = offset - len(unpacker.unused_data)
        elif index + 1 == len(self._points):
            self._points.append(_Point(unpacker, offset - len(packed)))
        return bytes(plain)
