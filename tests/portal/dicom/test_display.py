"""One way of showing a whole series."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from portal.dicom.display import COLOUR, COLOUR_DESCRIPTION, PixelDescription, unify
from portal.dicom.sandbox import Sandbox
from tests.portal.dicom.files import CT_IMAGE, make_file

SLICE = PixelDescription(1, -1000.0, 3000.0, -990.0, 2000.0, 1.0, "HU", 500.0, 3000.0)


def test_a_series_has_one_slope_and_intercept() -> None:
    spec = unify([SLICE, replace(SLICE, minimum=-1024.0), replace(SLICE, maximum=3071.0)])
    assert (spec.slope, spec.intercept, spec.value_range) == (1.0, -1024.0, (-1024.0, 3071.0))
    assert (spec.window_center, spec.window_width, spec.unit, spec.sample_bytes) == (500.0, 3000.0, "HU", 2)


def test_without_a_window_the_middle_of_the_values_is_shown() -> None:
    bare = replace(SLICE, window_center=None, window_width=None)
    spec = unify([bare, replace(bare, high=2400.0)])
    assert (spec.window_center, spec.window_width) == (705.0, 3390.0)


def test_values_of_256_steps_take_one_byte() -> None:
    assert unify([replace(SLICE, minimum=10.0, maximum=265.0)]).sample_bytes == 1
    assert unify([replace(SLICE, minimum=10.0, maximum=266.0)]).sample_bytes == 2


def test_range_beyond_16_bits_gets_a_wider_step() -> None:
    spec = unify([replace(SLICE, minimum=0.0, maximum=655_350.0)])
    assert spec.slope == pytest.approx(10.0)


def test_one_foreign_unit_is_no_unit() -> None:
    assert unify([SLICE, replace(SLICE, unit="")]).unit == ""


def test_colour_is_colour() -> None:
    assert unify([COLOUR_DESCRIPTION] * 2) == COLOUR


@pytest.mark.parametrize("series", [[], [SLICE, COLOUR_DESCRIPTION]])
def test_nothing_and_mixtures_are_errors(series: list[PixelDescription]) -> None:
    with pytest.raises(ValueError, match="colour"):
        unify(series)


def test_slices_of_different_rescale_show_the_same_values(box: Sandbox) -> None:
    """The same HU written by three scanners' habits come out as the same samples."""
    hounsfield = np.arange(-1000, -1000 + 48 * 20, 20)
    ct = {"SOPClassUID": CT_IMAGE, "Modality": "CT", "BitsStored": 16, "HighBit": 15}
    dialects = [(0, 1, -1000), (1, 1, 0), (0, 1, -4096), (0, 2, -1000), (1, -1, 0)]
    files = [
        make_file(
            **ct,
            PixelRepresentation=signed,
            RescaleSlope=slope,
            RescaleIntercept=intercept,
            PixelData=((hounsfield - intercept) // slope).astype("<i2").tobytes(),
        )
        for signed, slope, intercept in dialects
    ]
    spec = unify([box.describe_pixels(file) for file in files])
    assert (spec.slope, spec.intercept, spec.unit) == (1.0, -1000.0, "HU")
    for file in files:
        (frame,) = box.decode(file, spec=spec)
        assert np.array_equal(frame.ravel() * spec.slope + spec.intercept, hounsfield)
