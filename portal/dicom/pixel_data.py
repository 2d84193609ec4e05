"""The pictures of a file, frame by frame: described, then given as the samples the viewer stores.

Runs in the confined child. A file of 100 frames never sits decoded whole.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Final

import numpy as np

from portal.dicom.acceptance import PixelLayout, check_present, check_size
from portal.dicom.colour import palette_of, to_rgb
from portal.dicom.decoders import decode_frame
from portal.dicom.display import COLOUR_DESCRIPTION, DisplaySpec, PixelDescription, unify
from portal.dicom.elements import PixelElement, read_elements
from portal.dicom.fragments import Fragments
from portal.dicom.grading import Grading, gradings_of
from portal.dicom.header_reader import is_shown_kind, layout_of
from portal.dicom.part10 import Body, open_body
from portal.dicom.verdicts import refused

LOW_SHARE, HIGH_SHARE = 0.005, 0.995
STRIP_PIXELS: Final = 1 << 20


class Picture:
    """The picture of one file, checked by arithmetic and ready to be decoded.

    Raises `IngestRefused`: what `open_body`, `read_elements` and `acceptance` refuse, and `unsupported`.
    """

    def __init__(self, data: mmap.mmap | bytes) -> None:
        self._body = open_body(data)
        self._dataset, pixels = read_elements(self._body)
        self.layout = layout_of(self._dataset)
        if pixels is None or not is_shown_kind(self.layout):
            raise refused("unsupported")
        check_size(self.layout)
        self._source = _Source(self._body, pixels, self.layout)

    @property
    def is_colour(self) -> bool:
        """Whether it is shown as RGB."""
        return self.layout.samples == 3 or self._is_palette

    @property
    def _is_palette(self) -> bool:
        return self.layout.photometric_interpretation == "PALETTE COLOR"

    def describe(self) -> Iterator[PixelDescription | None]:
        """None after each frame, as a sign of life, and at last the description."""
        if self.is_colour:
            yield COLOUR_DESCRIPTION
            return
        gradings = gradings_of(self._dataset, self.layout)
        counts: dict[int, np.ndarray] = {}
        for grading, samples in zip(gradings, self._samples(), strict=True):
            seen = counts.setdefault(id(grading), np.zeros(grading.shown.size, np.int64))
            for rows in _strips(samples):
                seen += np.bincount(self._codes(samples[rows]).reshape(-1), minlength=seen.size)
            yield None
        unique = {id(grading): grading for grading in gradings}
        yield _description([(unique[key], seen) for key, seen in counts.items()])

    def frames(self, spec: DisplaySpec | None) -> Iterator[np.ndarray]:
        """Each frame as stored samples, rows x columns (uint8 or uint16) or rows x columns x 3 (uint8).

        Without a `spec` the file is shown as a series of its own. Raises `IngestRefused("unsupported")` if `spec`
        is grey and the picture colour, or the other way round.
        """
        spec = spec or unify([description for description in self.describe() if description is not None])
        if self.is_colour != (spec.samples_per_pixel == 3):
            raise refused("unsupported")
        return self._colour_frames() if self.is_colour else self._grey_frames(spec)

    def _grey_frames(self, spec: DisplaySpec) -> Iterator[np.ndarray]:
        tables: dict[int, np.ndarray] = {}
        gradings = gradings_of(self._dataset, self.layout)
        for grading, samples in zip(gradings, self._samples(), strict=True):
            if id(grading) not in tables:
                tables[id(grading)] = _stored(grading, spec)
            yield self._looked_up(tables[id(grading)], samples)

    def _colour_frames(self) -> Iterator[np.ndarray]:
        if self._is_palette:
            palette = palette_of(self._dataset, self.layout)
            yield from (self._looked_up(palette, samples) for samples in self._samples())
            return
        yield from (to_rgb(samples, self.layout, self._body.syntax) for samples in self._samples())

    def _looked_up(self, table: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """`table[code]` for every sample."""
        found = np.empty((*samples.shape, *table.shape[1:]), table.dtype)
        for rows in _strips(samples):
            found[rows] = table.take(self._codes(samples[rows]), axis=0)
        return found

    def _samples(self) -> Iterator[np.ndarray]:
        for data in self._source:
            yield decode_frame(data, self.layout, self._body.syntax)

    def _codes(self, samples: np.ndarray) -> np.ndarray:
        """The stored bits alone, without sign, overlays or other high bits."""
        layout = self.layout
        shift = 0 if self._body.syntax.is_encapsulated else layout.high_bit + 1 - layout.bits_stored
        return (samples.astype(np.int32) >> shift) & ((1 << layout.bits_stored) - 1)


def _strips(samples: np.ndarray) -> Iterator[slice]:
    """Rows of about a million pixels: NumPy takes 8 bytes a pixel to look up or count, which a film can't afford."""
    step = max(1, STRIP_PIXELS // samples.shape[1])
    return (slice(top, top + step) for top in range(0, samples.shape[0], step))


def _stored(grading: Grading, spec: DisplaySpec) -> np.ndarray:
    """The sample to store for every code."""
    dtype = np.uint8 if spec.sample_bytes == 1 else np.uint16
    samples = np.rint((grading.shown - spec.intercept) / spec.slope)
    return np.clip(samples, 0, np.iinfo(dtype).max).astype(dtype)


def _description(parts: list[tuple[Grading, np.ndarray]]) -> PixelDescription:
    """From how often each code was seen, per grading."""
    first = parts[0][0]
    values = np.concatenate([grading.shown for grading, _ in parts])
    seen = np.concatenate([counts for _, counts in parts])
    minimum, maximum = float(values[seen > 0].min()), float(values[seen > 0].max())
    low, high = _percentiles(values, _without_padding(parts))
    center, width = first.window or (None, None)
    return PixelDescription(
        samples_per_pixel=1,
        minimum=minimum,
        maximum=maximum,
        low=low,
        high=high,
        step=min(grading.step for grading, _ in parts),
        unit=first.unit,
        window_center=center,
        window_width=width,
    )


def _without_padding(parts: list[tuple[Grading, np.ndarray]]) -> np.ndarray:
    """Counts with padding left out, unless nothing else is there."""
    kept = [counts.copy() for _, counts in parts]
    for counts, (grading, _) in zip(kept, parts, strict=True):
        counts[list(grading.padding)] = 0
    joined = np.concatenate(kept)
    return joined if joined.any() else np.concatenate([counts for _, counts in parts])


def _percentiles(values: np.ndarray, counts: np.ndarray) -> tuple[float, float]:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(counts[order])
    low, high = (order[np.searchsorted(total, total[-1] * share)] for share in (LOW_SHARE, HIGH_SHARE))
    return float(values[low]), float(values[high])


class _Source:
    """The bytes of each frame, as often as asked: a picture is read once to describe it and once to decode it."""

    def __init__(self, body: Body, pixels: PixelElement, layout: PixelLayout) -> None:
        if pixels.is_encapsulated != body.syntax.is_encapsulated:
            raise refused("unsupported")
        self._body, self._pixels, self._layout = body, pixels, layout
        self._fragments = Fragments(body, pixels) if pixels.is_encapsulated else None
        present = (
            self._fragments.total_bytes
            if self._fragments
            else min(pixels.length, len(body.data) - pixels.offset)
        )
        check_present(layout, body.syntax.family, present)

    def __iter__(self) -> Iterator[bytes]:
        if self._fragments is not None:
            yield from self._fragments.frames(self._layout.frames)
            return
        length = self._layout.frame_bytes
        for index in range(self._layout.frames):
            offset = self._pixels.offset + index * length
            yield self._body.data[offset : offset + length]
