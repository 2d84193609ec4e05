"""The drawing tools, each against a plain calculation."""

from __future__ import annotations

import numpy as np
import pytest

from portal.phantom.curve import Arch
from portal.phantom.dicom_writer import decimal
from portal.phantom.projection import box_mean, grey, unroll
from portal.phantom.shapes import Lattice, blur, fade, ramp, superellipse
from portal.phantom.volume import UPPER_ARCH, Grid, Volume


def test_ramp_is_half_on_the_edge_and_whole_inside():
    assert ramp(np.array([-1.0, -0.25, 0.0, 0.25, 1.0]), 0.5).tolist() == [1.0, 1.0, 0.5, 0.0, 0.0]


def test_superellipse_of_a_circle_is_its_distance():
    assert superellipse(np.array([3.0]), np.array([4.0]), 2.0, 2.0, 2.0)[0] == pytest.approx(3.0, rel=1e-6)
    assert superellipse(np.array([0.3]), np.array([0.4]), 2.0, 2.0, 2.0)[0] == pytest.approx(-1.5, rel=1e-6)


def test_fade_falls_off_outside_its_range_only():
    assert [fade(value, 0, 10, 5) for value in (-6, -2.5, 0, 10, 12.5, 16)] == [0, 0.5, 1, 1, 0.5, 0]


def test_blur_keeps_the_mean_of_a_spot():
    spot = np.zeros((7, 7))
    spot[3, 3] = 16.0
    assert blur(spot)[2:5, 2:5].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]


def test_lattice_noise_is_bounded_smooth_and_repeatable():
    x = np.linspace(-60, 60, 500)
    one, two = (Lattice(np.random.RandomState(3)).sample(x, 0 * x, 5.0, 4.0) for _ in range(2))
    assert np.array_equal(one, two)
    assert np.abs(one).max() <= 1
    assert np.abs(np.diff(one)).max() <= 2 * (x[1] - x[0]) / 4.0 + 1e-9


@pytest.mark.parametrize("s", [-70.0, -31.0, -4.0, 9.0, 42.0, 77.0])
@pytest.mark.parametrize("u", [-5.0, 0.0, 6.0])
def test_a_point_placed_on_the_arch_is_found_there_again(s, u):
    x, y, nx, ny = UPPER_ARCH.at(np.array(s))
    found = UPPER_ARCH.locate(np.array([[x + u * nx]]), np.array([[y + u * ny]]))
    assert found.s[0, 0] == pytest.approx(abs(s), abs=0.5)
    assert found.u[0, 0] == pytest.approx(u, abs=0.1)


def test_the_arch_is_symmetric_and_opens_to_the_back():
    left, right = Arch().at(np.array(30.0)), Arch().at(np.array(-30.0))
    assert left[0] == -right[0] > 0
    assert left[1] == right[1] > Arch().at(np.array(0.0))[1]


def test_box_mean_is_the_mean_of_the_neighbourhood():
    image = np.random.RandomState(0).uniform(0, 1, (9, 11))
    padded = np.pad(image, 2, mode="edge")
    plain = [[padded[r : r + 5, c : c + 5].mean() for c in range(11)] for r in range(9)]
    assert np.allclose(box_mean(image, 5), plain)


def test_grey_uses_all_twelve_bits():
    image = grey(np.linspace(0, 1000, 10_000).reshape(100, 100))
    assert (image.min(), image.max(), image.dtype) == (0, 4095, np.uint16)


def test_unrolling_puts_the_left_right_and_the_head_on_top():
    grid = Grid((4, 100, 100), 1.0, (-49.5, -49.5, 0.0))
    hu = np.full(grid.shape, -1000, dtype=np.int16)
    hu[3, :, 60:] = 1000  # the highest section, on the patient's left
    s, u = np.array([-30.0, 0.0, 30.0]), np.array([-1.0, 0.0, 1.0])
    image = unroll(Volume(grid, hu), UPPER_ARCH, s, u, np.ones(3))
    assert image.tolist() == [[0, 0, pytest.approx(2000)], [0, 0, 0], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "0.5"), (-0.0, "0"), (1 / 3, "0.3333333333"), (-41.75, "-41.75")]
)
def test_decimals_are_short_and_plain(value, text):
    assert decimal(value) == text
    assert len(decimal(value * -1e-9 / 3)) <= 16
