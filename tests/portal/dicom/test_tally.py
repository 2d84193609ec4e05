"""Values counted frame by frame: exact while there are few scales, and close to exact where each frame has its own."""

from __future__ import annotations

import numpy as np
import pytest

from portal.dicom.grading import GRADINGS_KEPT, Grading
from portal.dicom.tally import HIGH_SHARE, LOW_SHARE, Tally

CODES = 1000


def shares(values: np.ndarray) -> tuple[float, float]:
    """The percentiles of single values, by sorting them all."""
    ordered = np.sort(values)
    low, high = (ordered[int(np.ceil(values.size * share)) - 1] for share in (LOW_SHARE, HIGH_SHARE))
    return float(low), float(high)


def frames(count: int, scales: int) -> tuple[Tally, np.ndarray]:
    """A tally of frames of which every `scales`th has the same scale, and all their values."""
    random, tally, values = np.random.default_rng(5), Tally(), []
    for index in range(count):
        kind = index % scales
        shown = np.arange(CODES) * (1 + kind / 7) - 500.0 + kind
        codes = np.clip(random.normal(400 + kind, 90, 4000), 0, CODES - 1).astype(int)
        tally.add(kind, Grading(shown, 1 + kind / 7), np.bincount(codes, minlength=CODES))
        values.append(shown[codes])
    return tally, np.concatenate(values)


@pytest.mark.parametrize("scales", [1, 3, GRADINGS_KEPT, GRADINGS_KEPT + 5, 60])
def test_what_is_counted_is_what_sorting_finds(scales: int) -> None:
    tally, values = frames(60, scales)
    assert len(tally._open) <= GRADINGS_KEPT
    told = tally.description()
    assert (told.minimum, told.maximum) == (values.min(), values.max())
    assert (told.low, told.high) == shares(values)
    assert told.step == 1.0


def test_thinned_values_keep_their_range_and_nearly_their_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.dicom.tally.MOST_VALUES", 8000)
    monkeypatch.setattr("portal.dicom.tally.THINNED_VALUES", 4000)
    tally, values = frames(200, 200)
    told = tally.description()
    assert tally._all._values.size <= 8000 + CODES
    assert tally._all._counts.sum() == values.size
    assert (told.minimum, told.maximum) == (values.min(), values.max())
    assert abs((values <= told.low).mean() - LOW_SHARE) < 0.002
    assert abs((values <= told.high).mean() - HIGH_SHARE) < 0.002


def test_padding_counts_for_the_range_alone() -> None:
    counts = np.zeros(10, np.int64)
    counts[[0, 4, 5]] = 100, 4, 4
    tally = Tally()
    tally.add(0, Grading(np.arange(10.0), 1.0, padding=(0,)), counts)
    told = tally.description()
    assert (told.minimum, told.maximum, told.low, told.high) == (0.0, 5.0, 4.0, 5.0)


def test_a_picture_of_padding_alone_has_a_window_all_the_same() -> None:
    tally = Tally()
    tally.add(0, Grading(np.arange(10.0), 1.0, padding=(3,)), np.bincount([3, 3], minlength=10))
    told = tally.description()
    assert (told.low, told.high) == (3.0, 3.0)
