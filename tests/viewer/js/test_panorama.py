"""V2: the panorama is what numpy computes, to two grey steps, and black outside; its curve is the one of the ingest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portal.dicom.arch.curve import catmull_rom
from portal.dicom.arch.panorama import panorama, sheet_along

from .every_engine import every_engine
from .fake_study import FakeSeries
from .test_drawing import DRAW, SHADE, SIZE, Run, level_of, shown

SHAPE = (20, 33, 36)  # frames, rows, columns
XYZ = np.array([1.6, 2.0, 2.4])  # mm
CORNER = np.array([-28.0, -30.0, 12.0])
# In mm from the first voxel's centre; tilted, for the plane of the teeth seldom lies level.
CONTROL = np.array([
    (10.0, 52, 24), (12, 36, 22), (18, 20, 20), (28, 14, 19), (38, 20, 20), (45, 36, 22), (47, 52, 24),
])  # fmt: skip
ALIKE = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
HOW = {"perPixel": 0.82, "thickness": 7.0}

SPACE = """
const { archThrough, controlOf } = await import("/static/js/viewer/arch.js");
const { spaceOf } = await import("/static/js/viewer/space.js");
const space = spaceOf(arg.series);
const control = controlOf(arg.series, space);
const arch = control && archThrough(control, space);
"""
DRAW_PANORAMA = (
    DRAW.replace(
        "renderer.draw([{ rect",
        SPACE
        + """
const { ArchSheet } = await import("/static/js/viewer/arch_sheet.js");
const sheet = new ArchSheet();
const how = { ...arg.how, first: [(arch.length - arg.how.perPixel * arg.size[0]) / 2, arg.top] };
renderer.draw([{ ...m.panoramaDrawing(sheet, arch, space.spacing, how), rect""",
    )
    .replace("coarse, place,", "coarse,")
    .replace("return { place, error", "return { length: arch.length, error")
)


def facts(directions: list[list[int]] = ALIKE, corner: np.ndarray = CORNER) -> dict[str, Any]:
    z, y, x = SHAPE
    return {
        "kind": "volume", "Columns": x, "Rows": y, "NumberOfFrames": z, "spacing_mm": XYZ[::-1].tolist(),
        "spacing_calibrated": True, "directions": directions, "position_mm": corner.tolist(),
        "arch": {"points": (CONTROL + CORNER).tolist(), "method": 1},
    }  # fmt: skip


@pytest.fixture(scope="module")
def volume() -> np.ndarray:
    rough = np.random.default_rng(8).integers(0, 4096, SHAPE).astype(np.float64)
    for axis in (0, 1, 2, 0, 1, 2):
        rough = (rough + np.roll(rough, 1, axis)) / 2
    return ((rough - rough.min()) / np.ptp(rough) * 4095).astype(np.uint16)


def test_curve_is_the_one_of_the_ingest(run: Run) -> None:
    found = run("arch", SPACE + "return arch", {"series": facts()})
    wanted = catmull_rom(CONTROL) + XYZ / 2  # the series' millimetres begin at the voxel's corner
    assert np.abs(np.array(found["dense"]) - wanted).max() < 1e-6
    assert found["up"] == pytest.approx(sheet_along(CONTROL, 8).up.tolist())


def test_arch_lies_in_the_patient_however_the_series_is_stored(run: Run) -> None:
    there = CORNER + (np.array(SHAPE[::-1]) - 1) * XYZ * (1, 1, 0)
    found = run(
        "arch", SPACE + "return control", {"series": facts([[-1, 0, 0], [0, -1, 0], [0, 0, 1]], there)}
    )
    size = np.array(SHAPE[::-1]) * XYZ
    wanted = CONTROL + XYZ / 2
    wanted[:, :2] = size[:2] - wanted[:, :2]
    assert np.abs(np.array(found) - wanted).max() < 1e-6


@pytest.mark.parametrize(
    "broken",
    [
        {"arch": None}, {"position_mm": None}, {"directions": None}, {"spacing_calibrated": False},
        {"arch": {"points": [[0, 0, 0]] * 6}}, {"arch": {"points": [[0, 0, None]] * 7}},
    ],
)  # fmt: skip
def test_without_a_sound_arch_there_is_none(run: Run, broken: dict[str, Any]) -> None:
    assert run("arch", SPACE + "return control", {"series": {**facts(), **broken}}) is None


@every_engine
@pytest.mark.parametrize("how", ["mean", "max"])
def test_v2_panorama_is_what_numpy_computes(run: Run, volume: np.ndarray, how: Any) -> None:
    level = level_of(volume, 0)
    top = 20.0
    answer = run("panorama", DRAW_PANORAMA, {
        "size": SIZE, "offset": 2048, "isVolume": True, "isColour": False, "fine": level, "coarse": level,
        "place": {}, "series": facts(), "how": {**HOW, "isMax": how == "max"}, "top": top, "shade": SHADE,
        "voxels": SHAPE[::-1],
    })  # fmt: skip
    assert answer["error"] == 0
    picture = np.array(answer["pixels"], np.float64).reshape(SIZE[1], SIZE[0], 4)[::-1, :, 0]
    # The twin has a column for each step of the curve; the picture's columns are read between them.
    length, per_pixel = answer["length"], HOW["perPixel"]
    along = (length - per_pixel * SIZE[0]) / 2 + (np.arange(SIZE[0]) + 0.5) * per_pixel
    on_curve = (along > 0.5) & (along < length - 0.5)
    fine = 4000
    columns = np.rint(along[on_curve] / length * fine - 0.5).astype(int)
    sheet = sheet_along(CONTROL, fine)
    part = type(sheet)(sheet.points[columns], sheet.outward[columns], sheet.up)
    heights = top - (np.arange(SIZE[1]) + 0.5) * per_pixel
    values, inside = panorama(volume, XYZ, part, heights, thickness_mm=HOW["thickness"], how=how)
    wanted = np.where(inside, shown(values), 0)
    assert inside.sum() > 1500
    assert (~inside).sum() > 0
    assert np.abs(picture[:, on_curve] - wanted).max() <= 2
    assert not picture[:, (along < 0) | (along > length)].any(), "black beyond the ends of the arch"
    assert not picture[:, on_curve][~inside].any(), "black outside of the volume"


def test_patient_sees_all_teeth_only_with_an_arch(run: Run, cbct: FakeSeries) -> None:
    body = "const p = m.panoramaPlane(arg.series); return p && [p.view, p.count, p.letters]"
    assert run("panorama_plane", body, {"series": facts()}) == [
        "panorama", 21, {"left": "right", "right": "left"},
    ]  # fmt: skip
    assert run("panorama_plane", body, {"series": {**facts(), "arch": None}}) is None
    assert run("panorama_plane", body, {"series": {**facts(), "kind": "stack"}}) is None
