"""The fragments of a compressed picture: where they lie, and which belong to which frame.

Runs in the confined child. Only offsets are read; a frame's bytes are joined when it is decoded.

Source: DICOM PS3.5 A.4 and table A.4-1; PS3.3 C.7.6.3.1.8 (extended offset table).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from portal.dicom.acceptance import MAX_FRAME_BYTES
from portal.dicom.elements import PixelElement
from portal.dicom.part10 import Body
from portal.dicom.verdicts import refused

ITEM: Final = 0xFFFEE000
DELIMITER: Final = 0xFFFEE0DD
STARTS: Final = (b"\xff\xd8", b"\xff\x4f\xff\x51")
"""Start of a JPEG or JPEG-LS image, and of a JPEG 2000 codestream."""
MAX_FRAGMENTS: Final = 1 << 20
"""More than fifty for each frame of the longest file; a list of more would take the child's memory."""


class Fragment(NamedTuple):
    """One item's value; `begins_image` if it starts as a compressed image does."""

    offset: int
    length: int
    begins_image: bool


class Fragments:
    """The items of an encapsulated picture. `extended` are the offsets of an extended offset table.

    Raises `IngestRefused`: `truncated` if an item reaches past the end, `bad-pixels` if there is none.
    """

    def __init__(self, body: Body, pixels: PixelElement, extended: tuple[int, ...] = ()) -> None:
        self._data = body.data
        table, *self._items = list(_items(body, pixels.offset)) or [Fragment(0, 0, False)]
        self._tables = self._basic_table(table), extended
        self._first = pixels.offset + 8 + table.length
        self.total_bytes = sum(item.length for item in self._items)
        if not self._items:
            raise refused("truncated")

    def _basic_table(self, table: Fragment) -> tuple[int, ...]:
        count = table.length // 4
        data = self._data[table.offset : table.offset + 4 * count]
        return struct.unpack(f"<{count}L", data) if count else ()

    def frames(self, count: int) -> list[list[Fragment]]:
        """The fragments of each of `count` frames; `IngestRefused("bad-pixels")` if they can't be told apart."""
        if count == 1:
            return [self._items]
        filled = [item for item in self._items if item.length]
        if len(filled) == count:
            return [[item] for item in filled]
        for begins_frame in self._ways(count):
            groups = self._split(begins_frame)
            if len(groups) == count:
                return groups
        raise refused("bad-pixels")

    def join(self, fragments: list[Fragment]) -> bytes:
        """The compressed bytes of a frame; `IngestRefused("too-large")` above the largest frame."""
        if sum(item.length for item in fragments) > MAX_FRAME_BYTES:
            raise refused("too-large")
        return b"".join(self._data[offset : offset + length] for offset, length, _ in fragments)

    def _ways(self, count: int) -> Iterator[Callable[[Fragment], bool]]:
        """How to know a frame's first fragment: by a table of that many offsets, else by its own first bytes."""
        for table in self._tables:
            if len(table) == count:
                starts = frozenset(table)
                yield lambda item, starts=starts: item.offset - 8 - self._first in starts  # type: ignore[misc]
        yield lambda item: item.begins_image

    def _split(self, begins_frame: Callable[[Fragment], bool]) -> list[list[Fragment]]:
        groups: list[list[Fragment]] = []
        for item in self._items:
            if not groups or begins_frame(item):
                groups.append([])
            groups[-1].append(item)
        return groups


def _items(body: Body, offset: int) -> Iterator[Fragment]:
    """Each item's value, the offset table first. A missing delimiter at the end is tolerated."""
    data, end = body.data, len(body.data)
    for _ in range(MAX_FRAGMENTS):
        if end - offset < 8:
            return
        head = data[offset : offset + 12]
        group, element, length = struct.unpack_from("<HHL", head)
        tag = group << 16 | element
        if tag == DELIMITER:
            return
        if tag != ITEM:
            raise refused("bad-pixels")
        if offset + 8 + length > end:
            raise refused("truncated")
        yield Fragment(offset + 8, length, head[8 : 8 + length].startswith(STARTS))
        offset += 8 + length
    raise refused("bad-pixels")
