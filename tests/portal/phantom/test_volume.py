"""The head is the right way round and has what a dentist looks for."""

from __future__ import annotations

import numpy as np
import pytest

from portal.phantom import mandible
from portal.phantom.people import INVENTED
from portal.phantom.section import ENAMEL
from portal.phantom.volume import LOWER_ARCH, UPPER_ARCH, Grid, Volume, scan, truth

SMALL = Grid.centred((38, 50, 50), 2.0)


def test_the_implant_is_on_the_left_and_only_there(maria):
    screw = maria.brighter_than(4000, z=(-18.0, -9.0))
    assert len(screw) > 100
    assert screw[:, 0].min() > 20
    assert np.ptp(screw[:, 0]) < 9  # one screw, leaning


def test_the_metal_crown_of_16_is_on_the_right(maria):
    shell = maria.brighter_than(3600, z=(3.0, 6.5))
    assert len(shell) > 50
    assert shell[:, 0].max() < -15


def test_the_face_looks_to_the_front_and_the_spine_is_behind(maria):
    chin, throat, vertebra = maria.at(0, -42, -26), maria.at(0, 31, -12), maria.at(0, 42.5, -6)
    assert chin > 700
    assert throat < -800
    assert vertebra > 400


@pytest.mark.parametrize("side", [-1, 1])
def test_the_sinuses_are_above_and_the_jaw_below(maria, side):
    assert maria.at(25 * side, -3, 31) < -800
    assert maria.at(27 * side, -3, -40) > 700  # the lower border of the mandible


@pytest.mark.parametrize("side", [-1.0, 1.0])
@pytest.mark.parametrize("s", [40.0, 46.0, 52.0, 58.0])
def test_the_canal_is_darker_than_the_bone_around_it(maria, side, s):
    u, z = np.interp(s, mandible.CANAL_S, mandible.CANAL_U), np.interp(s, mandible.CANAL_S, mandible.CANAL_Z)
    x, y, nx, ny = LOWER_ARCH.at(np.array(s * side))

    def around(radius: float) -> float:
        turns = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        across, height = u + radius * np.cos(turns), z + radius * np.sin(turns)
        return float(
            np.mean([maria.at(x + a * nx, y + a * ny, h) for a, h in zip(across, height, strict=True)])
        )

    assert around(0.5) < 330
    assert around(0.5) + 150 < around(2.1)
    assert around(0.5) + 50 < around(3.2)


def test_both_jaws_bear_teeth_of_enamel_over_dentin_over_pulp():
    grid = Grid((1, 60, 100), 0.5, (-25.0, -48.0, 4.0))
    picture = truth(INVENTED[3], grid, seed=1).hu[0]
    row = picture[:, 60]  # x = 5 mm: through the upper left central incisor
    assert row.max() == pytest.approx(ENAMEL, abs=150)
    assert 1600 < row[row.argmax() + 4] < 1900  # dentin behind the enamel


def test_a_missing_tooth_leaves_a_gap():
    grid = Grid((1, 100, 160), 0.5, (-40.0, -40.0, 5.0))
    full, gap = (truth(INVENTED[index], grid, seed=1).hu[0] for index in (2, 3))
    x, y, _, _ = UPPER_ARCH.at(np.array(26.3))  # 24, missing in the fourth patient
    row, column = round((y - grid.origin[1]) / 0.5), round((x - grid.origin[0]) / 0.5)
    assert gap[row, column] < 300
    assert gap[row, 160 - column] > 1500  # 14, on the right, is there
    assert np.count_nonzero(full > 2000) > 100


def test_a_child_s_head_is_smaller():
    adult, child = (_extent(scan(INVENTED[index], SMALL, seed=1)) for index in (3, 2))
    assert child < 0.95 * adult


def _extent(volume: Volume) -> float:
    """Left-to-right width of everything as hard as a tooth, mm."""
    columns = np.nonzero((volume.hu > 1700).any(axis=(0, 1)))[0]
    return float(columns[-1] - columns[0]) * volume.grid.voxel_mm


def test_the_same_seed_gives_the_same_head_and_another_seed_another():
    first = scan(INVENTED[0], SMALL, seed=1).hu
    scan.cache_clear()
    again, other = scan(INVENTED[0], SMALL, seed=1).hu, scan(INVENTED[0], SMALL, seed=2).hu
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_scan_can_not_be_changed_by_who_reads_it():
    with pytest.raises(ValueError, match="read-only"):
        scan(INVENTED[0], SMALL, seed=1).hu[0, 0, 0] = 5
