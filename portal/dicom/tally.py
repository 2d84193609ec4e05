"""Which values a grey picture has, and how often: counted frame by frame, in the same memory for any number of frames.

Frames graded alike are counted together, code by code. Where every frame has a rescale of its own, values are kept
instead of codes, and thinned once they are a million: the range stays exact, a share is off by less than a thousandth.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from portal.dicom.display import PixelDescription
from portal.dicom.grading import GRADINGS_KEPT, Grading

LOW_SHARE, HIGH_SHARE = 0.005, 0.995
MOST_VALUES: Final = 1 << 20
THINNED_VALUES: Final = 1 << 17


class Tally:
    """Takes how often each code was seen in each frame, and describes the whole."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[Grading, np.ndarray]] = {}
        self._all, self._pictured = _Seen(), _Seen()
        self._first: Grading | None = None
        self._step = np.inf

    def add(self, kind: int, grading: Grading, counts: np.ndarray) -> None:
        """Add the counts of one frame, which are ours from then on; `kind` is the same for frames graded alike."""
        self._first = self._first or grading
        self._step = min(self._step, grading.step)
        if kind in self._open:
            np.add(self._open[kind][1], counts, out=self._open[kind][1])
            return
        if len(self._open) == GRADINGS_KEPT:
            self._close(next(iter(self._open)))
        self._open[kind] = grading, counts

    def _close(self, kind: int) -> None:
        grading, counts = self._open.pop(kind)
        self._all.add(grading.shown, counts)
        counts[list(grading.padding)] = 0
        self._pictured.add(grading.shown, counts)

    def description(self) -> PixelDescription:
        """What was seen. Padding counts for the range, and for the window only if nothing else is there."""
        for kind in list(self._open):
            self._close(kind)
        first = self._first
        if first is None:
            raise ValueError("Nothing was counted.")
        minimum, maximum = self._all.range
        low, high = (self._all if self._pictured.is_empty else self._pictured).percentiles()
        center, width = first.window or (None, None)
        return PixelDescription(
            samples_per_pixel=1,
            minimum=minimum,
            maximum=maximum,
            low=low,
            high=high,
            step=self._step,
            unit=first.unit,
            window_center=center,
            window_width=width,
        )


class _Seen:
    """Values and how often each was seen, in no order."""

    def __init__(self) -> None:
        self._values, self._counts = np.empty(0), np.empty(0, np.int64)

    @property
    def is_empty(self) -> bool:
        return self._values.size == 0

    @property
    def range(self) -> tuple[float, float]:
        return float(self._values.min()), float(self._values.max())

    def add(self, values: np.ndarray, counts: np.ndarray) -> None:
        was_seen = counts > 0
        self._values = np.concatenate((self._values, values[was_seen]))
        self._counts = np.concatenate((self._counts, counts[was_seen]))
        if self._values.size > MOST_VALUES:
            self._thin()

    def percentiles(self) -> tuple[float, float]:
        values, total = self._sorted()
        low, high = (values[np.searchsorted(total, total[-1] * share)] for share in (LOW_SHARE, HIGH_SHARE))
        return float(low), float(high)

    def _sorted(self) -> tuple[np.ndarray, np.ndarray]:
        """The values in order, and how many were seen up to each."""
        order = np.argsort(self._values, kind="stable")
        return self._values[order], np.cumsum(self._counts[order])

    def _thin(self) -> None:
        """Keep the values at even shares, the least and the greatest among them; each stands for those up to it."""
        values, total = self._sorted()
        kept = np.unique(np.searchsorted(total, np.linspace(1, total[-1], THINNED_VALUES)))
        self._values, self._counts = values[kept], np.diff(total[kept], prepend=0)
