"""The pictures of a file, frame by frame: described, then given as the samples the viewer stores.

Runs in the confined child. A file of 100 frames never sits decoded whole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from pydicom.dataset import Dataset

from portal.dicom.acceptance import PixelLayout, check_present, check_size
from portal.dicom.colour import palette_of, to_rgb
from portal.dicom.decoders import decode_frame
from portal.dicom.display import COLOUR_DESCRIPTION, DisplaySpec, PixelDescription, unify
from portal.dicom.elements import PixelElement, read_elements
from portal.dicom.fragments import Fragments
from portal.dicom.grading import GRADINGS_KEPT, Grading, Gradings
from portal.dicom.header_reader import is_shown_kind, layout_of
from portal.dicom.part10 import Body, Bytes, open_body
from portal.dicom.tally import Tally
from portal.dicom.verdicts import refused

STRIP_PIXELS: Final = 1 << 20


class Picture:
    """The picture of one file, checked by arithmetic and ready to be decoded.

    Raises `IngestRefused`: what `open_body`, `read_elements` and `acceptance` refuse, and `unsupported`.
    """

    def __init__(self, data: Bytes) -> None:
        self._body = open_body(data)
        self._dataset, pixels = read_elements(self._body)
        self.layout = layout_of(self._dataset)
        if pixels is None or not is_shown_kind(self.layout):
            raise refused("unsupported")
        check_size(self.layout)
        self._source = _Source(self._body, self._dataset, pixels, self.layout)

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
        gradings, tally = Gradings(self._dataset, self.layout), Tally()
        for kind, samples in zip(gradings.kinds, self._samples(self._all), strict=True):
            grading = gradings.of_kind(kind)
            for rows in _strips(samples):
                codes = self._codes(samples[rows]).reshape(-1)
                tally.add(kind, grading, np.bincount(codes, minlength=grading.shown.size))
            yield None
        yield tally.description()

    def frames(self, spec: DisplaySpec | None, order: Sequence[int] | None = None) -> Iterator[np.ndarray]:
        """Each frame as stored samples, rows x columns (uint8 or uint16) or rows x columns x 3 (uint8).

        `order`: the indices of the frames wanted; without one, all of them.
        Without a `spec` the file is shown as a series of its own. Raises `IngestRefused("unsupported")` if `spec`
        is grey and the picture colour, or the other way round.
        """
        spec = spec or unify([description for description in self.describe() if description is not None])
        if self.is_colour != (spec.samples_per_pixel == 3):
            raise refused("unsupported")
        wanted = self._all if order is None else order
        return self._colour_frames(wanted) if self.is_colour else self._grey_frames(spec, wanted)

    @property
    def _all(self) -> Sequence[int]:
        return range(self.layout.frames)

    def _grey_frames(self, spec: DisplaySpec, order: Sequence[int]) -> Iterator[np.ndarray]:
        gradings = Gradings(self._dataset, self.layout)
        table = lru_cache(GRADINGS_KEPT)(lambda kind: _stored(gradings.of_kind(kind), spec))
        for index, samples in zip(order, self._samples(order), strict=True):
            yield self._looked_up(table(gradings.kinds[index]), samples)

    def _colour_frames(self, order: Sequence[int]) -> Iterator[np.ndarray]:
        if self._is_palette:
            palette = palette_of(self._dataset, self.layout)
            yield from (self._looked_up(palette, samples) for samples in self._samples(order))
            return
        yield from (to_rgb(samples, self.layout, self._body.syntax) for samples in self._samples(order))

    def _looked_up(self, table: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """`table[code]` for every sample."""
        found = np.empty((*samples.shape, *table.shape[1:]), table.dtype)
        for rows in _strips(samples):
            found[rows] = table.take(self._codes(samples[rows]), axis=0)
        return found

    def _samples(self, order: Sequence[int]) -> Iterator[np.ndarray]:
        for index in order:
            yield decode_frame(self._source.frame(index), self.layout, self._body.syntax)

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


class _Source:
    """The bytes of each frame, as often as asked: a picture is read once to describe it and once to decode it."""

    def __init__(self, body: Body, dataset: Dataset, pixels: PixelElement, layout: PixelLayout) -> None:
        if pixels.is_encapsulated != body.syntax.is_encapsulated:
            raise refused("unsupported")
        self._body, self._pixels, self._layout = body, pixels, layout
        if pixels.is_encapsulated:
            self._fragments = Fragments(body, pixels, _extended_offsets(dataset))
            present = self._fragments.total_bytes
        else:
            present = min(pixels.length, len(body.data) - pixels.offset)
        check_present(layout, body.syntax.family, present)
        self._frames = self._fragments.frames(layout.frames) if pixels.is_encapsulated else []

    def frame(self, index: int) -> bytes:
        """The bytes of the frame at `index`, compressed as they are. Raises `IndexError` if there is none."""
        if not 0 <= index < self._layout.frames:
            raise IndexError
        if self._pixels.is_encapsulated:
            return self._fragments.join(self._frames[index])
        length = self._layout.frame_bytes
        offset = self._pixels.offset + index * length
        return self._body.data[offset : offset + length]


def _extended_offsets(dataset: Dataset) -> tuple[int, ...]:
    """Where each frame begins, by a table that most files don't have (C.7.6.3.1.8)."""
    table = dataset.get("ExtendedOffsetTable")
    if not isinstance(table, bytes):
        return ()
    count = len(table) // 8
    return struct.unpack(f"<{count}Q", table[: 8 * count])
