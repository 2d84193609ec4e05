"""Cross-sections of the jaw are what numpy computes, cut by cut; the arch can be corrected, within its limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .every_engine import every_engine
from .test_drawing import DRAW, SHADE, SIZE, Run, level_of, shown
from .test_panorama import CONTROL, SHAPE, SPACE, XYZ, facts, volume
from .test_slabs import trilinear

__all__ = ["volume"]
CUTS, APART, PER_PIXEL = 3, 4.0, 0.7
DRAW_SECTIONS = (
    DRAW.replace(
        "renderer.draw([{ rect",
        SPACE
        + """
const { outwardAt, pointAt } = await import("/static/js/viewer/arch.js");
const { ArchSheet } = await import("/static/js/viewer/arch_sheet.js");
const frames = Array.from({ length: arg.cuts }, (_, cut) => arch.length / 2 + (cut - 1) * arg.how.apart)
  .map((s) => [pointAt(arch, s), outwardAt(arch, s)]);
const how = { ...arg.how, firstAlong: arch.length / 2 - arg.how.apart };
renderer.draw([{ ...m.crossSectionDrawing(new ArchSheet(), arch, space.spacing, how), rect""",
    )
    .replace("coarse, place,", "coarse,")
    .replace("return { place, error", "return { frames, up: arch.up, error")
)


@every_engine
def test_v1_cross_sections_are_what_numpy_computes(run: Run, volume: np.ndarray) -> None:
    level = level_of(volume, 0)
    width = SIZE[0] / CUTS
    first = [-width / 2 * PER_PIXEL, 45.0]
    answer = run("cross_section", DRAW_SECTIONS, {
        "size": SIZE, "offset": 2048, "isVolume": True, "isColour": False, "fine": level, "coarse": level,
        "place": {}, "series": facts(), "cuts": CUTS, "shade": SHADE, "voxels": SHAPE[::-1],
        "how": {"apart": APART, "cutPixels": width, "first": first, "perPixel": PER_PIXEL},
    })  # fmt: skip
    assert answer["error"] == 0
    picture = np.array(answer["pixels"], np.float64).reshape(SIZE[1], SIZE[0], 4)[::-1, :, 0]
    x, y = np.meshgrid(np.arange(SIZE[0]) + 0.5, np.arange(SIZE[1]) + 0.5)
    cut = (x // width).astype(int)
    point, outward = (np.array([frame[part] for frame in answer["frames"]])[cut] for part in (0, 1))
    out = first[0] + PER_PIXEL * (x - cut * width)
    above = first[1] - PER_PIXEL * y
    mm = point + out[..., None] * outward + above[..., None] * np.array(answer["up"])
    samples = trilinear(volume, (mm / XYZ).reshape(-1, 3)).reshape(x.shape)
    wanted = np.where(np.isnan(samples), 0, shown(np.nan_to_num(samples)))
    assert np.isfinite(samples).sum() > 1500
    assert np.isnan(samples).any()
    assert np.abs(picture - wanted).max() <= 1


JAW = """
const { spaceOf } = await import("/static/js/viewer/space.js");
const space = spaceOf(arg.series);
const jaw = m.jawOf(arg.series, space);
"""


def test_corrected_handle_keeps_its_height_and_bends_the_curve(run: Run) -> None:
    before, after = run(
        "jaw", JAW + "return [jaw, m.corrected(jaw, 3, [30, 9, 1], space)]", {"series": facts()}
    )
    assert after["control"][3][:2] == [30, 9]
    assert after["control"][3][2] == pytest.approx(CONTROL[3, 2] + XYZ[2] / 2)
    assert after["arch"]["length"] > before["arch"]["length"]
    others = [0, 1, 2, 4, 5, 6]
    assert [after["control"][i] for i in others] == [before["control"][i] for i in others]


@pytest.mark.parametrize(
    ("name", "mm", "wanted"), [("step", 1, 1), ("step", 99, 10), ("width", 3, 10), ("thickness", -4, 10)]
)
def test_settings_stay_within_their_limits(run: Run, name: str, mm: float, wanted: float) -> None:
    body = JAW + "return m.chosen(jaw, arg.name, arg.mm)[arg.name]"
    assert run("jaw", body, {"series": facts(), "name": name, "mm": mm}) == wanted


def test_what_is_no_number_changes_nothing(run: Run) -> None:
    body: Any = JAW + "return m.chosen(jaw, 'step', Number('x')) === jaw"
    assert run("jaw", body, {"series": facts()}) is True
