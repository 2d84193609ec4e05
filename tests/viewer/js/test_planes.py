"""planes.js lays every series on the screen as a radiologist expects: the patient's right on the left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]

STANDARD = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
TILTED = [[0.97, 0.17, 0.17], [-0.2, 0.95, 0.2], [-0.13, -0.23, 0.96]]
TURNED = [[-1, 0, 0], [0, -1, 0], [0, 0, 1]]  # rows run to the right, columns to the front
SIDEWAYS = [[0, 1, 0], [0, 0, -1], [-1, 0, 0]]  # stored as sagittal slices


def series(directions: Any, kind: str = "volume") -> dict[str, Any]:
    return {
        "kind": kind, "Columns": 40, "Rows": 30, "NumberOfFrames": 20, "spacing_mm": [0.6, 0.4, 0.5],
        "directions": directions,
    }  # fmt: skip


def plane(run: Run, directions: Any, view: str, kind: str = "volume") -> dict[str, Any]:
    arguments = {"series": series(directions, kind), "view": view}
    found: dict[str, Any] = run("planes", "return m.planeOf(arg.series, arg.view)", arguments)
    return found


@pytest.mark.parametrize(
    ("directions", "view", "across", "along", "cut"),
    [
        (STANDARD, "axial", [0, 1], [1, 1], [2, 1]),
        (STANDARD, "coronal", [0, 1], [2, -1], [1, 1]),
        (STANDARD, "sagittal", [1, 1], [2, -1], [0, 1]),
        (TILTED, "coronal", [0, 1], [2, -1], [1, 1]),
        (TURNED, "axial", [0, -1], [1, -1], [2, 1]),
        (TURNED, "sagittal", [1, -1], [2, -1], [0, -1]),
        (SIDEWAYS, "axial", [2, -1], [0, 1], [1, -1]),
        (SIDEWAYS, "coronal", [2, -1], [1, 1], [0, 1]),
        (SIDEWAYS, "sagittal", [0, 1], [1, 1], [2, -1]),
        (None, "axial", [0, 1], [1, 1], [2, 1]),
    ],
)
def test_views_follow_the_patient(
    run: Run, directions: Any, view: str, across: list[int], along: list[int], cut: list[int]
) -> None:
    found = plane(run, directions, view)
    assert (found["across"], found["along"], [found["axis"], found["sign"]]) == (across, along, cut)


@pytest.mark.parametrize(
    ("view", "letters"),
    [
        ("axial", {"left": "right", "right": "left"}),
        ("coronal", {"left": "right", "right": "left"}),
        ("sagittal", {"left": "front", "right": "back"}),
    ],
)
def test_letters_name_the_sides_whatever_the_stored_order(
    run: Run, view: str, letters: dict[str, str]
) -> None:
    for directions in (STANDARD, TILTED, TURNED, SIDEWAYS):
        assert plane(run, directions, view)["letters"] == letters
    assert plane(run, None, view)["letters"] is None


@pytest.mark.parametrize(
    ("directions", "letters"),
    [
        (STANDARD, {"left": "right", "right": "left"}),
        (TURNED, {"left": "left", "right": "right"}),
        (SIDEWAYS, {"left": "front", "right": "back"}),
        ([[0, 0, 1], [1, 0, 0], [0, 1, 0]], None),
        (None, None),
    ],
)
def test_picture_keeps_its_stored_way_and_its_letters_tell(run: Run, directions: Any, letters: Any) -> None:
    found = plane(run, directions, "image", kind="image")
    assert (found["across"], found["along"], found["letters"]) == ([0, 1], [1, 1], letters)


def test_millimetres_not_voxels_fill_the_screen(run: Run) -> None:
    found = plane(run, STANDARD, "coronal")
    assert found["size_mm"] == pytest.approx([40 * 0.5, 20 * 0.6])
    body = "return m.screenToVoxel(arg, 3, {zoom: 1, centre: [0, 0]}, 200, 200)"
    place = run("planes", body, found)
    # 20 mm in 200 pixels, 12 mm centred in the height; index 3 from the front; the head end on top.
    assert place["right"] == pytest.approx([0.1 / 0.5, 0, 0])
    assert place["down"] == pytest.approx([0, 0, -0.1 / 0.6])
    assert place["origin"] == pytest.approx([0, 3.5, 10 + 10 / 0.6])


def test_slices_count_towards_head_back_and_left(run: Run) -> None:
    body = "return [0, 29].map((i) => m.voxelIndex(arg, i))"
    assert run("planes", body, plane(run, TURNED, "coronal")) == [29, 0]
    assert run("planes", body, plane(run, STANDARD, "coronal")) == [0, 29]


def test_zoom_keeps_the_point_under_the_finger(run: Run) -> None:
    body = """
    const at = (camera) => {
      const p = m.screenToVoxel(arg, 0, camera, 300, 300);
      return p.origin.map((v, i) => v + p.right[i] * (150 + 60) + p.down[i] * (150 - 20));
    };
    const near = m.zoomAt({ zoom: 2, centre: [0.5, 0.2] }, 1.7, arg, 300, 300, 60, -20);
    return [at({ zoom: 2, centre: [0.5, 0.2] }), at(near), near.zoom];
    """
    before, after, zoom = run("planes", body, plane(run, STANDARD, "axial"))
    assert after == pytest.approx(before)
    assert zoom == pytest.approx(3.4)


def test_picture_cannot_be_pushed_out_of_sight(run: Run) -> None:
    found = plane(run, STANDARD, "axial")
    body = "return m.panBy({ zoom: arg.zoom, centre: [0, 0] }, arg.plane, 300, 300, 9999, -9999).centre"
    assert run("planes", body, {"plane": found, "zoom": 1}) == pytest.approx([0, 0])
    width, height = found["size_mm"]
    assert run("planes", body, {"plane": found, "zoom": 2}) == pytest.approx([-width / 4, height / 4])
