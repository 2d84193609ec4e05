"""The 3D view against its CPU twin: the same rays marched in numpy; lost slices are striped."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from .every_engine import every_engine
from .fake_server import FakeServer
from .fake_study import FakeSeries
from .test_drawing import SIZE, Run, facts_of, level_of

OFFSET = 2048
DRAW = """
const { Renderer } = await import("/static/js/viewer/renderer.js");
const { VolumeTexels } = await import("/static/js/viewer/textures.js");
const { halfTable, toHalf } = await import("/static/js/viewer/codec.js");
const { spaceOf } = await import("/static/js/viewer/space.js");
const canvas = document.createElement("canvas");
[canvas.width, canvas.height] = arg.size;
const renderer = new Renderer(canvas, { onLost() {}, onRestored() {} });
const fine = new VolumeTexels(renderer.gl, arg.fine.level);
arg.fine.items.forEach((samples, item) => (arg.fine.lost.includes(item) ? fine.lose(item)
  : fine.put(item, toHalf(samples, halfTable(arg.offset)))));
const space = spaceOf(arg.series);
const texelRamp = (from, to) => [1 / (to - from), (arg.offset - from) / (to - from)];
const textures = () => ({ fine, coarse: fine });
const bench = { space, solid: arg.look, series: arg.series, texelRamp, textures, redraw() {} };
const pane = new m.SolidPane(bench);
pane.box = { x: 0, y: 0, width: arg.size[0], height: arg.size[1] };
pane.took(1);  // a quick card, so every pixel
pane.turnBy(...arg.turn);
const drawing = pane.drawing(1 / arg.divide);
drawing.divide = arg.divide;
const uniforms = {};
const note = (name, value) => { uniforms[name] = value; };
drawing.set({ uniform1i: note, uniform2fv: note, uniform3fv: note }, (name) => name);
renderer.draw([{ ...drawing, rect: { x: 0, y: 0, width: arg.size[0], height: arg.size[1] }, size: space.dims,
  shade: [1, 0], isColour: false }]);
const pixels = new Uint8Array(arg.size[0] * arg.size[1] * 4);
renderer.gl.readPixels(0, 0, ...arg.size, renderer.gl.RGBA, renderer.gl.UNSIGNED_BYTE, pixels);
const error = renderer.gl.getError();
renderer.wipe();
return { uniforms, error, pixels: Array.from(pixels) };
"""


def ball() -> np.ndarray:
    """A soft ball with a hard core off its middle; odd sizes."""
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in (23, 31, 27)), indexing="ij")
    body = 1800 * np.clip(1.6 - 2 * np.sqrt(x**2 + y**2 + z**2), 0, 1)
    core = 2200 * np.clip(1 - 4 * np.sqrt((x - 0.3) ** 2 + (y + 0.2) ** 2 + z**2), 0, 1)
    return (body + core).astype(np.uint16)


def render(run: Run, volume: np.ndarray, **changes: Any) -> tuple[dict[str, Any], np.ndarray]:
    series = {**facts_of(volume, np.eye(3).tolist()), "unit": "HU", "window": {"center": 0, "width": 1}}
    facts = {"size": SIZE, "offset": OFFSET, "series": series, "fine": level_of(volume, 0), "look": "bone",
             "turn": [0.4, 0.3], "divide": 1}  # fmt: skip
    answer = run("solid_pane", DRAW, {**facts, **changes})
    assert answer["error"] == 0
    picture = np.array(answer["pixels"], np.float64).reshape(SIZE[1], SIZE[0], 4)[::-1, :, :3]
    uniforms = {name: list(value.values()) if isinstance(value, dict) else value
                for name, value in answer["uniforms"].items()}  # fmt: skip
    return uniforms, picture


def sample(volume: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Texels at places in voxels (n x 3, x y z), the edge going on outside."""
    q = p[:, ::-1] - 0.5
    low = np.floor(q).astype(int)
    total = np.zeros(len(p))
    for corner in np.ndindex(2, 2, 2):
        z, y, x = np.clip(low + corner, 0, np.array(volume.shape) - 1).T
        total += np.prod(np.where(corner, q - low, 1 - (q - low)), axis=1) * volume[z, y, x]
    return total - OFFSET


def light(volume: np.ndarray, p: np.ndarray, rays: dict[str, Any]) -> np.ndarray:
    slope = np.stack([sample(volume, p + step) - sample(volume, p - step) for step in np.eye(3)], axis=1)
    slope = slope / np.array(rays["spacing"])
    steep = np.linalg.norm(slope, axis=1)
    facing = np.abs(slope @ np.array(rays["forward"])) / np.where(steep > 0, steep, 1)
    return 0.2 + 0.8 * np.where(steep > 0, facing, 1)


def march(volume: np.ndarray, rays: dict[str, Any], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The colours of pixels, 0 to 255 (n x 3)."""
    start = np.array(rays["origin"]) + np.outer(x + 0.5, rays["right"]) + np.outer(y + 0.5, rays["down"])
    total, left = np.zeros((len(x), 3)), np.ones(len(x))
    size = np.array(volume.shape[::-1])
    for i in range(rays["steps"] + 1):
        p = start + i * np.array(rays["ahead"])
        met = (p >= 0).all(1) & (p <= size).all(1) & (left > 0.02)
        takes = np.clip(sample(volume, p[met]) * rays["ramp"][0] + rays["ramp"][1], 0, 1)
        share = left[met] * takes * light(volume, p[met], rays)
        total[met] += share[:, None] * np.array(rays["tint"])
        left[met] *= 1 - takes
    return np.clip(total, 0, 1) * 255


Picture = tuple[dict[str, Any], np.ndarray]


@pytest.fixture(scope="module")
def bone(run: Run) -> Picture:
    return render(run, ball())


@pytest.fixture(scope="module")
def teeth(run: Run) -> Picture:
    return render(run, ball(), look="teeth")


@every_engine
def test_v1_rays_are_their_twin(bone: Picture, teeth: Picture) -> None:
    x, y = np.random.default_rng(4).integers(0, [[SIZE[0]], [SIZE[1]]], (2, 1500))
    for rays, picture in (bone, teeth):
        wanted = march(ball(), rays, x, y)
        off = np.abs(picture[y, x] - wanted).max(axis=1)
        assert (wanted.max(axis=1) > 60).sum() > 100
        # A ray that is just used up, or just not, may differ by what its next step would have added.
        assert (off <= 1).mean() >= 0.995
        assert off.max() <= 0.02 * 255 + 1


@every_engine
def test_bone_is_more_than_teeth(bone: Picture, teeth: Picture) -> None:
    assert 0 < (teeth[1] > 40).sum() < (bone[1] > 40).sum()


@every_engine
def test_half_the_pixels_show_the_same_coarser(run: Run, bone: Picture) -> None:
    _, half = render(run, ball(), divide=2)
    assert np.abs(bone[1] - half).mean() < 6
    assert np.abs(bone[1] - half).max() > 1


@every_engine
def test_v23_lost_slices_are_striped_where_rays_meet_them(run: Run, bone: Picture) -> None:
    _, picture = render(run, ball(), fine=level_of(ball(), 0, lost=[10, 11, 12]))
    assert (picture[..., 0] > picture[..., 2] + 20).sum() > 200
    assert (np.abs(picture - bone[1]).max(axis=-1) > 20).sum() > 200


def test_v5_front_comes_first_with_the_patients_left_on_the_right(run: Run) -> None:
    volume = np.zeros((20, 20, 20), np.uint16)
    volume[14:18, 2:6, 13:17] = 3000  # left, front, towards the head
    _, picture = render(run, volume, fine=level_of(volume, 0), turn=[0, 0])
    y, x = np.nonzero(picture[..., 0] > 60)
    assert x.min() > SIZE[0] / 2
    assert y.max() < SIZE[1] / 2


def test_patient_sees_3d_when_asked_for_and_turns_it(
    serve: Callable[..., FakeServer], open_page: Callable[..., Page], cbct: FakeSeries
) -> None:
    server = serve(cbct)
    page = open_page(server, viewport={"width": 320, "height": 568})
    assert not any("solid" in path for path in server.requests)  # never by itself, nor its script
    page.get_by_role("button", name="3D").click()
    expect(page.get_by_role("img", name="Cone-beam CT, 3D, picture 19 of 37")).to_be_visible()
    expect(page.locator("[data-part=letter-left]")).to_have_text("Right")
    assert "/static/js/viewer/solid_plane.js" in server.requests
    page.get_by_role("slider").press("End")  # turned right round
    expect(page.locator("[data-part=letter-left]")).to_have_text("Left")
    page.get_by_role("slider").fill("10")  # by ninety degrees
    expect(page.locator("[data-part=letter-left]")).to_have_text(re.compile("Front|Back"))
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Front").click()
    expect(page.get_by_role("img", name="Cone-beam CT, Front, slice 51 of 101")).to_be_visible()
