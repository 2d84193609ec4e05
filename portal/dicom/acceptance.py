"""Arithmetic before any decode: does the size a file states fit our limits, and the bytes that are there?

No picture is allocated before these checks: a 732-byte RLE file can ask for 1 TiB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from portal.dicom.syntaxes import Family
from portal.dicom.verdicts import refused

MAX_SIDE: Final = 16_384
MAX_FRAMES: Final = 20_000
MAX_FRAME_BYTES: Final = 512 << 20
MAX_FILE_BYTES: Final = 4 << 30
RLE_EXPANSION: Final = 64
"""A run of 128 equal bytes takes two (PS3.5 G.3.1): no RLE frame unpacks to more than 64 times its size."""


@dataclass(frozen=True)
class PixelLayout:
    """What a file states about its picture; sizes in pixels and bits. Frames are counted from its own element."""

    rows: int
    columns: int
    frames: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    photometric_interpretation: str
    planar_configuration: int = 0

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame without compression. YBR_FULL_422 shares its colours between two pixels (C.7.6.3.1.2)."""
        samples = 2 if self.photometric_interpretation == "YBR_FULL_422" else self.samples
        return (self.rows * self.columns * samples * self.bits_allocated + 7) // 8

    @property
    def file_bytes(self) -> int:
        """Bytes of all frames without compression; frames of 1-bit pixels share bytes (PS3.5 8.1.1)."""
        if self.bits_allocated == 1:
            return (self.rows * self.columns * self.samples * self.frames + 7) // 8
        return self.frame_bytes * self.frames


def check_size(layout: PixelLayout) -> None:
    """Raise `IngestRefused` if the stated size is nonsense (`pixel-size`) or over a limit (`too-large`)."""
    if min(layout.rows, layout.columns, layout.frames, layout.samples, layout.bits_allocated) < 1:
        raise refused("pixel-size")
    if max(layout.rows, layout.columns) > MAX_SIDE or layout.frames > MAX_FRAMES:
        raise refused("too-large")
    if layout.samples > 4 or layout.bits_allocated > 64:
        raise refused("pixel-size")
    decoded_frame_bytes = layout.rows * layout.columns * layout.samples * -(-layout.bits_allocated // 8)
    if decoded_frame_bytes > MAX_FRAME_BYTES or decoded_frame_bytes * layout.frames > MAX_FILE_BYTES:
        raise refused("too-large")


def check_present(layout: PixelLayout, family: Family, present_bytes: int) -> None:
    """Raise `IngestRefused("truncated")` or `("pixel-size")` if `present_bytes` can't hold the picture.

    A native picture may be followed by padding. Of compressed ones only RLE has a bound.
    """
    if family == "native" and present_bytes < layout.file_bytes:
        raise refused("truncated")
    if family == "rle" and present_bytes * RLE_EXPANSION < layout.file_bytes:
        raise refused("pixel-size")
    if present_bytes < 1:
        raise refused("truncated")
