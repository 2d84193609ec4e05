"""V3: the bar, the ruler and the steps of each pane tell the same millimetres, whatever the voxels are like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Run = Callable[..., Any]
TILTED = [[0.97, 0.17, 0.17], [-0.2, 0.95, 0.2], [-0.13, -0.23, 0.96]]
SERIES = {
    "kind": "volume", "Columns": 100, "Rows": 180, "NumberOfFrames": 120, "spacing_mm": [0.6, 0.5, 0.9],
    "spacing_calibrated": True, "position_mm": [0.0, 0.0, 0.0], "directions": np.eye(3).tolist(),
    "arch": {"points": [[x, 40.0, 35.0] for x in (10, 22, 34, 46, 58, 70, 82)]},
}  # fmt: skip
BENCH = """
const { basesOf, spaceOf, turned } = await import("/static/js/viewer/space.js");
const { jawOf } = await import("/static/js/viewer/jaw.js");
const { angleOf, distanceOf } = await import("/static/js/viewer/measures.js");
const space = spaceOf(arg.series);
const unturned = basesOf(space.axes);
const about = unturned.axial.normal;
const bases = arg.turn ? Object.fromEntries(Object.entries(unturned).map(([name, basis]) =>
  [name, turned(turned(basis, about, arg.turn), unturned.sagittal.normal, arg.turn)])) : unturned;
const bench = {
  space, unturned, cross: { at: space.middle, bases }, slab: { mm: 0 }, series: arg.series,
  jaw: jawOf(arg.series, space), moveTo() {},
};
const pane = new m[arg.pane](bench, arg.view);
pane.box = { x: 0, y: 0, width: 700, height: 300 };
pane.zoomBy(arg.zoom, 30, -20);
"""
RULED = """
const bar = 10 * pane.pixelsPerMm;
const [x, y] = arg.at;
const [corner, right, down] = [[x, y], [x + bar, y], [x, y + bar]].map(([a, b]) => pane.toMm(a, b));
const back = pane.toScreen(right);
return {
  lengths: [distanceOf([corner, right]), distanceOf([corner, down]), distanceOf([right, down])],
  angle: angleOf([right, corner, down]), missed: Math.hypot(back[0] - x - bar, back[1] - y),
};
"""


@pytest.mark.parametrize("zoom", [1, 3.3])
@pytest.mark.parametrize("turn", [0, 0.4])
@pytest.mark.parametrize("view", ["axial", "coronal", "sagittal"])
def test_v3_v4_bar_and_ruler_agree_in_every_plane(run: Run, view: str, turn: float, zoom: float) -> None:
    series = {**SERIES, "directions": TILTED}
    facts = {
        "series": series,
        "pane": "PlanePane",
        "view": view,
        "turn": turn,
        "zoom": zoom,
        "at": [310, 140],
    }
    found = run("plane_pane", BENCH + RULED, facts)
    assert found["lengths"] == pytest.approx([10, 10, 10 * 2**0.5], abs=1e-6)
    assert found["angle"] == pytest.approx(90, abs=1e-6)
    assert found["missed"] < 1e-6


@pytest.mark.parametrize("zoom", [1, 2])
def test_v3_v4_bar_and_ruler_agree_in_a_cross_section(run: Run, zoom: float) -> None:
    facts = {"series": SERIES, "pane": "CrossSectionPane", "view": "sections", "zoom": zoom, "at": [310, 140]}
    found = run("cross_section_pane", BENCH + RULED, facts)
    assert found["lengths"] == pytest.approx([10, 10, 10 * 2**0.5], abs=1e-6)
    assert found["angle"] == pytest.approx(90, abs=1e-6)


@pytest.mark.parametrize("step", [0.5, 2, 7])
def test_v3_cross_sections_are_as_far_apart_and_as_wide_as_they_say(run: Run, step: float) -> None:
    body = """
    const { chosen } = await import("/static/js/viewer/jaw.js");
    bench.jaw = chosen(chosen(bench.jaw, "step", arg.step), "width", 30);
    const { width } = pane.frame;
    const count = Math.round(pane.box.width / width);
    const middles = Array.from({ length: count }, (_, cut) => pane.toMm((cut + 0.5) * width, 150));
    const half = 15 * pane.pixelsPerMm;
    return {
      apart: middles.slice(1).map((one, i) => distanceOf([middles[i], one])), fits: 2 * half <= width + 1e-9,
      across: distanceOf([pane.toMm(width / 2 - half, 150), pane.toMm(width / 2 + half, 150)]),
    };
    """
    facts = {"series": SERIES, "pane": "CrossSectionPane", "view": "sections", "zoom": 1, "step": step}
    found = run("cross_section_pane", BENCH + body, facts)
    assert len(found["apart"]) >= 2
    assert found["apart"] == pytest.approx([step] * len(found["apart"]), abs=1e-6)
    assert found["fits"]
    assert found["across"] == pytest.approx(30, abs=1e-6)
