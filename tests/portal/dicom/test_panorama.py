"""The panorama: the curve goes through its points, and the sheet is where it should be."""

from __future__ import annotations

import numpy as np
import pytest

from portal.dicom.arch.curve import catmull_rom, lengths, resample
from portal.dicom.arch.panorama import heights_of, panorama, sheet_along, up_of
from portal.dicom.arch.sample import sample

CONTROL = np.array([
    (10.0, 60, 20), (14, 40, 20), (24, 20, 20), (40, 12, 20), (56, 20, 20), (66, 40, 20), (70, 60, 20),
])  # fmt: skip
MM = np.ones(3)


def test_curve_meets_every_control_point() -> None:
    curve = catmull_rom(CONTROL)
    nearest = np.linalg.norm(CONTROL[:, None] - curve[None], axis=2).min(axis=1)
    assert nearest.max() < 1e-9


def test_resampled_points_are_evenly_apart() -> None:
    even = resample(catmull_rom(CONTROL), 0.5)
    steps = np.diff(lengths(even))
    assert np.allclose(steps, 0.5, atol=2e-3)


def test_sheet_faces_the_cheek_and_stands_upright() -> None:
    sheet = sheet_along(CONTROL, 101)
    assert np.allclose(sheet.up, (0, 0, 1))
    assert sheet.outward[50] == pytest.approx((0, -1, 0), abs=1e-6), "forward at the incisors"
    assert sheet.outward[0, 0] < -0.9, "to the right at the right molars"
    assert sheet.outward[-1, 0] > 0.9, "to the left at the left molars"


def test_up_follows_a_tilted_head() -> None:
    tilt = np.radians(15)
    turn = np.array([[1, 0, 0], [0, np.cos(tilt), np.sin(tilt)], [0, -np.sin(tilt), np.cos(tilt)]])
    assert np.allclose(up_of(CONTROL @ turn), turn[2])


def test_values_are_the_volumes_own_and_nothing_outside() -> None:
    z, y, x = np.indices((40, 80, 80), dtype=np.float64)
    volume = 3 * x + 5 * y + 7 * z  # trilinear sampling gives a plane back exactly
    sheet = sheet_along(CONTROL, 60)
    heights = heights_of(volume, MM, sheet, 1.0)
    values, inside = panorama(volume, MM, sheet, heights, thickness_mm=0.0)
    places = sheet.points[None] + heights[:, None, None] * sheet.up
    assert inside.all()
    assert values[1:-1] == pytest.approx((places @ (3, 5, 7))[1:-1], abs=1e-2)
    high = panorama(volume, MM, sheet, np.array([30.0]), thickness_mm=4.0)
    assert not high[1].any()
    assert not high[0].any()


def test_thickness_takes_the_mean_or_the_brightest() -> None:
    volume = np.zeros((40, 80, 80))
    volume[20, 10, 40] = 90.0  # 2 mm in front of the incisors
    sheet, level = sheet_along(CONTROL, 61), np.array([0.0])
    thin, _ = panorama(volume, MM, sheet, level, thickness_mm=1.0)
    mean, _ = panorama(volume, MM, sheet, level, thickness_mm=8.0)
    most, _ = panorama(volume, MM, sheet, level, thickness_mm=8.0, how="max")
    assert thin.max() == 0
    assert 0 < mean[0, 30] < most[0, 30] <= 90


def test_sampling_clamps_half_a_voxel_and_no_more() -> None:
    volume = np.arange(8.0).reshape(2, 2, 2)
    values, inside = sample(volume, np.array([(-0.4, 0, 0), (1.4, 1, 1), (0.5, 0.5, 0.5), (-0.6, 0, 0)]))
    assert values[:3].tolist() == [0.0, 7.0, 3.5]
    assert inside.tolist() == [True, True, True, False]
