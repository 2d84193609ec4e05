"""Slices as pictures, for browsers without WebGL: decoded, windowed and packed as WebP here.

A slice is of the sharpest level that fits 1024 pixels. It is for looking at; the viewer proper works on the values.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from PIL import Image

from portal.dicom.frames import DTYPES, decode_item
from portal.errors import NotFound
from portal.vault.manifest import Entry
from viewer.stored import SeriesView, StoredStudy

FLOOR_PIXELS: Final = 1024
QUALITY: Final = 85
JPEG_QUALITY: Final = 95  # of a picture that is kept


@dataclass(frozen=True, slots=True)
class Slice:
    """One frame of one level: its strips, top to bottom."""

    series: SeriesView
    level: Mapping[str, Any]
    strips: tuple[Entry, ...]

    @property
    def length_bytes(self) -> int:
        """How many stored bytes it shows."""
        return sum(strip.length for strip in self.strips)


def find_slice(stored: StoredStudy, series: UUID, index: int) -> Slice:
    """Frame `index` of the full series, in the level that is shown. Raises NotFound."""
    view = stored.shown(series)
    if index >= view["NumberOfFrames"]:
        raise NotFound
    levels = view["levels"]
    level = next((one for one in levels if max(one["Rows"], one["Columns"]) <= FLOOR_PIXELS), levels[-1])
    # Only a volume halves along its frames; two neighbours then share a picture.
    frame = index >> level["level"] if view["kind"] == "volume" else index
    first = frame * level["Strips"]
    strips = range(first, first + level["Strips"])
    number = level["level"]
    return Slice(
        view, level, tuple(stored.entry(series, "frame", level=number, index=item) for item in strips)
    )


def draw(stored: StoredStudy, found: Slice) -> bytes:
    """The slice as WebP, with square pixels. Raises VaultDamaged, and then nothing of it was shown."""
    return _packed(picture_of(stored, found), "WEBP", quality=QUALITY, method=2)


def draw_whole(stored: StoredStudy, series: UUID, index: int) -> bytes:
    """Frame `index` of a series of single pictures at full size, as JPEG. Raises NotFound, VaultDamaged."""
    view = stored.shown(series)
    level = view["levels"][0]
    items = range(index * level["Strips"], (index + 1) * level["Strips"])
    strips = tuple(stored.entry(series, "frame", level=0, index=item) for item in items)
    return _packed(
        picture_of(stored, Slice(view, level, strips)), "JPEG", quality=JPEG_QUALITY, subsampling=0
    )


def picture_of(stored: StoredStudy, found: Slice) -> Image.Image:
    """The slice in its window, with square pixels."""
    view, level = found.series, found.level
    samples, sample_bytes = view["SamplesPerPixel"], view["sample_bytes"]
    rows_left, parts = level["Rows"], []
    for strip in found.strips:
        rows = min(level["StripRows"], rows_left)
        parts.append(decode_item(stored.read(strip), rows, level["Columns"], samples, sample_bytes))
        rows_left -= rows
    pixels = np.concatenate(parts) if len(parts) > 1 else parts[0]
    picture = Image.fromarray(pixels if samples == 3 else brightness_table(view)[pixels])
    return _square(picture, view["spacing_mm"])


def brightness_table(view: SeriesView) -> np.ndarray:
    """Stored sample → screen brightness 0 to 255, through the series' own window. Source: DICOM PS3.3 C.11.2.1.2."""
    stored = np.arange(np.iinfo(DTYPES[view["sample_bytes"]]).max + 1, dtype=np.float64)
    center, width = view["window"]["center"], view["window"]["width"]
    shown = (stored * view["slope"] + view["intercept"] - center) / width + 0.5
    return np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)


def _square(picture: Image.Image, spacing_mm: list[float] | None) -> Image.Image:
    if spacing_mm is None or abs(spacing_mm[1] / spacing_mm[2] - 1) < 0.005:
        return picture
    height = max(1, round(picture.height * spacing_mm[1] / spacing_mm[2]))
    return picture.resize((picture.width, height))


def _packed(picture: Image.Image, form: str, **options: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()
