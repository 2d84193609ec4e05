"""The size a compressed frame states of itself, read before any codec is asked to allocate it.

Source: ITU-T T.81 B.2.2 (JPEG), T.87 C.2.2 (JPEG-LS), T.800 A.5.1 (JPEG 2000).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from portal.dicom.verdicts import refused

NO_LENGTH: Final = frozenset((0x01, *range(0xD0, 0xDA)))
NOT_FRAMES: Final = frozenset((0xC4, 0xC8, 0xCC))
JPEG_LS_FRAME: Final = 0xF7
HUFFMAN_DCT: Final = frozenset((0xC0, 0xC1, 0xC2))


@dataclass(frozen=True)
class Codestream:
    """Rows, columns, components and bits of one compressed frame; `marker` is its start of frame, 0 for JPEG 2000."""

    rows: int
    columns: int
    components: int
    precision: int
    marker: int

    @property
    def is_8_bit_dct(self) -> bool:
        """Whether an ordinary JPEG decoder reads it."""
        return self.marker in HUFFMAN_DCT and self.precision == 8


def jpeg_codestream(data: bytes) -> Codestream:
    """The frame header of a JPEG or JPEG-LS image; raises `IngestRefused("bad-pixels")` if there is none."""
    position = 2
    while len(data) - position >= 4 and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if marker in NO_LENGTH:
            position += 2
            continue
        if (0xC0 <= marker <= 0xCF and marker not in NOT_FRAMES) or marker == JPEG_LS_FRAME:
            return _frame_header(data, position + 4, marker)
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    raise refused("bad-pixels")


def _frame_header(data: bytes, position: int, marker: int) -> Codestream:
    if len(data) - position < 6:
        raise refused("bad-pixels")
    precision, rows, columns, components = struct.unpack_from(">BHHB", data, position)
    return Codestream(rows, columns, components, precision, marker)


def jpeg_2000_codestream(data: bytes) -> Codestream:
    """The SIZ segment, which comes first; raises `IngestRefused("bad-pixels")` if it doesn't."""
    if len(data) < 45 or data[:4] != b"\xff\x4f\xff\x51":
        raise refused("bad-pixels")
    right, bottom, left, top = struct.unpack_from(">4L", data, 8)
    components, depth = struct.unpack_from(">HB", data, 40)
    return Codestream(bottom - top, right - left, components, (depth & 0x7F) + 1, 0)
