"""V1: each cut of the workbench, straight and turned, thin and as a slab, is what numpy computes, to one grey step."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from portal.dicom.frames import encode_item

from .every_engine import every_engine
from .test_drawing import SHADE, SIZE, Run, draw, facts_of, level_of, shown, volume

__all__ = ["volume"]
SPACING = np.array([0.4, 0.3, 0.6])  # x, y, z
PLACE = """
const { basesOf, spaceOf, turned } = await import("/static/js/viewer/space.js");
const space = spaceOf(arg.series);
const unturned = basesOf(space.axes);
const tilt = arg.angles.length
  ? (one) => arg.angles.reduce((basis, angle, i) => turned(basis, space.axes[i], angle), one) : (one) => one;
const bases = Object.fromEntries(Object.entries(unturned).map(([name, one]) => [name, tilt(one)]));
const bench = { space, unturned, cross: { at: arg.at, bases }, slab: arg.slab, textures: () => ({}) };
const pane = new m.PlanePane(bench, arg.view);
pane.box = { x: 0, y: 0, width: arg.size[0], height: arg.size[1] };
pane.zoomBy(arg.zoom, 11, -7);
return { ...pane.drawing(1), basis: bases[arg.view] };
"""


def trilinear(volume: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Samples at places in voxels (n x 3, x y z), NaN outside."""
    q = p[:, ::-1] - 0.5
    low = np.floor(q).astype(int)
    total = np.zeros(len(p))
    for corner in np.ndindex(2, 2, 2):
        z, y, x = np.clip(low + corner, 0, np.array(volume.shape) - 1).T
        total += np.prod(np.where(corner, q - low, 1 - (q - low)), axis=1) * volume[z, y, x]
    outside = (p < 0).any(1) | (p > volume.shape[::-1]).any(1)
    return np.where(outside, np.nan, total)


def slab_twin(
    volume: np.ndarray, p: np.ndarray, normal: np.ndarray, mm: float, samples: int
) -> dict[str, Any]:
    """Brightest and mean of the samples inside, from the middle of each of so many layers; NaN where none is."""
    offsets = ((np.arange(samples) + 0.5) / samples - 0.5) * mm
    stack = np.stack([trilinear(volume, p + offset * normal / SPACING) for offset in offsets])
    inside = np.isfinite(stack)
    count = inside.sum(axis=0)
    mean = np.where(count, np.where(inside, stack, 0).sum(axis=0) / np.maximum(count, 1), np.nan)
    return {"mean": mean, "max": np.where(count, np.where(inside, stack, -1).max(axis=0), np.nan)}


@every_engine
@pytest.mark.parametrize(
    ("view", "angles"),
    [
        pytest.param("axial", [], marks=pytest.mark.slow),
        pytest.param("axial", [0.3, -0.2, 0.5], marks=pytest.mark.slow),
        ("coronal", [-0.1, 0.4, 0.2]),
        pytest.param("sagittal", [0.2, 0.3, -0.4], marks=pytest.mark.slow),
    ],
)
def test_v1_every_cut_is_its_twin(run: Run, volume: np.ndarray, view: str, angles: list[float]) -> None:
    fine = level_of(volume, 0)
    dims = list(volume.shape[::-1])
    pixels = np.random.default_rng(8).integers(0, [[SIZE[1]], [SIZE[0]]], (2, 3000))
    for kind, mm in (("thin", 0), ("max", 6), ("mean", 6)):
        plan = run("plane_pane", PLACE, {
            "series": facts_of(volume), "angles": angles, "at": (np.array(dims) * SPACING / 2.1).tolist(),
            "slab": {"mm": mm, "isMax": kind == "max"}, "view": view, "size": SIZE, "zoom": 1.3,
        })  # fmt: skip
        place, samples = {**plan["place"], "voxels": dims}, plan["slab"]["samples"]
        assert samples == (1 if kind == "thin" else 40)  # two a voxel of 0.3 mm
        _, picture = draw(run, {
            "isVolume": True, "fine": fine, "coarse": fine, "place": place, "slab": plan["slab"], "shade": SHADE,
            "voxels": dims,
        })  # fmt: skip
        y, x = pixels
        p = np.array(place["origin"]) + np.outer(x + 0.5, place["right"]) + np.outer(y + 0.5, place["down"])
        found = slab_twin(volume, p, np.array(plan["basis"]["normal"]), mm, samples)
        wanted = found["mean" if kind == "mean" else "max"]
        assert np.isfinite(wanted).sum() > 1500
        drawn = np.where(np.isnan(wanted), 0, shown(np.nan_to_num(wanted)))
        # A layer that ends on the volume's edge, to the last bit, may count on the card and not here.
        off = np.abs(picture[y, x] - drawn[:, None]).max(axis=1) > 1
        assert off.sum() <= (0 if kind == "thin" else 3)


def test_lost_slice_inside_a_slab_is_striped(run: Run, volume: np.ndarray) -> None:
    """Never silently brighter or darker for what isn't there."""
    dims = list(volume.shape[::-1])
    lost = level_of(volume, 0, lost=[11])
    place = {"origin": [0, 0, 11.0], "right": [dims[0] / SIZE[0], 0, 0], "down": [0, dims[1] / SIZE[1], 0]}
    slab = {"samples": 9, "isMax": True, "through": [0, 0, 0.5]}
    _, picture = draw(run, {
        "isVolume": True, "fine": lost, "coarse": lost, "place": place, "slab": slab, "shade": SHADE, "voxels": dims,
    })  # fmt: skip
    assert (picture[..., 0] > picture[..., 2] + 4).all()


BARE = """
const real = WebGL2RenderingContext.prototype.getExtension;
const gone = /norm16|float_linear|color_buffer/;
WebGL2RenderingContext.prototype.getExtension = function (name) {
  return gone.test(name) ? null : real.call(this, name);
};
"""
GIVEN_BACK = "WebGL2RenderingContext.prototype.getExtension = real;"


@every_engine
@pytest.mark.slow
def test_v8_nothing_beyond_core_webgl2_is_needed(run: Run, volume: np.ndarray) -> None:
    """Phones lack 16-bit and float extensions, or have them and don't filter: the picture is the same without."""
    dims = list(volume.shape[::-1])
    fine = level_of(volume, 0)
    facts = {
        "isVolume": True, "fine": fine, "coarse": fine, "shade": SHADE, "voxels": dims,
        "place": {"origin": [1, 2, 9.3], "right": [0.15, 0, 0.02], "down": [0, 0.2, 0]},
        "slab": {"samples": 9, "isMax": False, "through": [0, 0, 0.5]},
    }  # fmt: skip
    _, with_all = draw(run, facts)
    _, bare = draw(run, facts, before=BARE, after=GIVEN_BACK)
    assert with_all.max() > 200
    assert (bare == with_all).all()


PROBE = """
const bytes = Uint8Array.from(atob(arg.item), (one) => one.charCodeAt(0));
const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
const plain = new Uint8Array(await new Response(stream).arrayBuffer());
return Array.from(m.undoItem(plain, { rows: arg.rows, columns: arg.columns, planes: 1, sampleBytes: 2 }));
"""


READ = """
const { Renderer } = await import("/static/js/viewer/renderer.js");
const { VolumeTexels } = await import("/static/js/viewer/textures.js");
const { halfTable, toHalf } = await import("/static/js/viewer/codec.js");
const canvas = document.createElement("canvas");
[canvas.width, canvas.height] = arg.size;
const renderer = new Renderer(canvas, { onLost() {}, onRestored() {} });
const texels = new VolumeTexels(renderer.gl, arg.level.level);
texels.put(0, toHalf(arg.level.items[0], halfTable(arg.offset)));
const rect = { x: 0, y: 0, width: arg.size[0], height: arg.size[1] };
const pixels = new Uint8Array(arg.size[0] * arg.size[1] * 4);
const read = (shade) => {
  renderer.draw([{ rect, fine: texels, coarse: texels, place: arg.place, size: arg.voxels, shade, isColour: false }]);
  renderer.gl.readPixels(0, 0, ...arg.size, renderer.gl.RGBA, renderer.gl.UNSIGNED_BYTE, pixels);
  return Array.from(pixels.filter((_, i) => i % 4 === 0));
};
const pictures = arg.shades.map(read);
renderer.wipe();
return pictures;
"""


@every_engine
@pytest.mark.parametrize(
    ("bits", "allowed"),
    [pytest.param(12, 0, marks=pytest.mark.slow), pytest.param(16, 16, marks=pytest.mark.slow)],
)
def test_v6_values_reach_the_card(run: Run, bits: int, allowed: int) -> None:
    """From the product's own encoder to the texture: 12 bits exactly, 16 within 1/2048 of the range.

    A picture has 256 steps, so the values are read in as many windows as it takes, each of 255 values.
    """
    rows, columns = SIZE[1] // 5, SIZE[0] // 5
    frame = np.random.default_rng(bits).integers(0, 1 << bits, (rows, columns)).astype(np.uint16)
    item = base64.b64encode(encode_item(frame, 2)).decode()
    decoded = np.array(run("codec", PROBE, {"item": item, "rows": rows, "columns": columns}))
    assert (decoded.reshape(rows, columns) == frame).all()

    # Five pixels a voxel: the third one's middle is the voxel's.
    place = {"origin": [0, 0, 0.5], "right": [0.2, 0, 0], "down": [0, 0.2, 0]}
    offset, step = 1 << (bits - 1), 1 << (bits - 12)  # a grey step stands for so many values
    lows = list(range(0, 1 << bits, 255 * step))
    answer = run("planes", READ, {
        "size": SIZE, "level": level_of(frame[None], 0), "offset": offset, "place": place,
        "voxels": [columns, rows, 1], "shades": [[1 / (255 * step), (offset - low) / (255 * step)] for low in lows],
    })  # fmt: skip
    pictures = np.array(answer, np.int64).reshape(len(lows), SIZE[1], SIZE[0])[:, ::-1]
    found = pictures.sum(axis=0)[2::5, 2::5] * step
    assert np.abs(found - frame).max() <= allowed + step // 2
