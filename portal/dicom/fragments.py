"""The fragments of a compressed picture: where they lie, and which belong to which frame.

Runs in the confined child. Only offsets are read; a frame's bytes are joined when it is decoded.

Source: DICOM PS3.5 A.4 and table A.4-1; PS3.3 C.7.6.3.1.8 (extended offset table, which we don't need).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final

from portal.dicom.elements import PixelElement
from portal.dicom.part10 import Body
from portal.dicom.verdicts import refused

ITEM: Final = 0xFFFEE000
DELIMITER: Final = 0xFFFEE0DD
STARTS: Final = (b"\xff\xd8", b"\xff\x4f\xff\x51")
"""Start of a JPEG or JPEG-LS image, and of a JPEG 2000 codestream."""


class Fragments:
    """The items of an encapsulated picture.

    Raises `IngestRefused`: `truncated` if an item reaches past the end, `bad-pixels` if there is none.
    """

    def __init__(self, body: Body, pixels: PixelElement) -> None:
        self._data = body.data
        offsets, *self._items = list(_items(body, pixels.offset)) or [(0, 0)]
        self._table = self._offset_table(*offsets)
        self._first = pixels.offset + 8 + offsets[1]
        self.total_bytes = sum(length for _, length in self._items)
        if not self._items:
            raise refused("truncated")

    def _offset_table(self, offset: int, length: int) -> tuple[int, ...]:
        count = length // 4
        return struct.unpack_from(f"<{count}L", self._data, offset) if count else ()

    def frames(self, count: int) -> Iterator[bytes]:
        """The compressed bytes of each of `count` frames; `IngestRefused("bad-pixels")` if they can't be told apart."""
        for group in self._groups(count):
            yield b"".join(self._data[offset : offset + length] for offset, length in group)

    def _groups(self, count: int) -> list[list[tuple[int, int]]]:
        if count == 1:
            return [self._items]
        if len(self._items) == count:
            return [[item] for item in self._items]
        groups = self._by_start(self._is_in_table if len(self._table) == count else self._is_start)
        if len(groups) != count:
            raise refused("bad-pixels")
        return groups

    def _by_start(self, is_start: Callable[[tuple[int, int]], bool]) -> list[list[tuple[int, int]]]:
        groups: list[list[tuple[int, int]]] = []
        for item in self._items:
            if not groups or is_start(item):
                groups.append([])
            groups[-1].append(item)
        return groups

    def _is_in_table(self, item: tuple[int, int]) -> bool:
        return item[0] - 8 - self._first in self._table

    def _is_start(self, item: tuple[int, int]) -> bool:
        return self._data[item[0] : item[0] + 4].startswith(STARTS)


def _items(body: Body, offset: int) -> Iterator[tuple[int, int]]:
    """(offset, length) of each item's value, the offset table first. A missing delimiter at the end is tolerated."""
    data = body.data
    while len(data) - offset >= 8:
        group, element, length = struct.unpack_from("<HHL", data, offset)
        tag = group << 16 | element
        if tag == DELIMITER:
            return
        if tag != ITEM:
            raise refused("bad-pixels")
        if offset + 8 + length > len(data):
            raise refused("truncated")
        yield offset + 8, length
        offset += 8 + length
