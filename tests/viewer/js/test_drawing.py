"""What the graphics card draws is what its CPU twin computes, to one grey step (V1), and stripes where a part is lost.

No golden pictures: renderers differ. Each pixel is compared with trilinear interpolation in numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from .every_engine import every_engine
from .fake_study import halve

Run = Callable[..., Any]
SIZE = (150, 130)
DRAW = """
const { Renderer } = await import("/static/js/viewer/renderer.js");
const { PictureTexels, VolumeTexels } = await import("/static/js/viewer/textures.js");
const { PART } = await import("/static/js/viewer/shaders.js");
const { halfTable, toHalf, toRgba } = await import("/static/js/viewer/codec.js");
const canvas = document.createElement("canvas");
[canvas.width, canvas.height] = arg.size;
const renderer = new Renderer(canvas, { onLost() {}, onRestored() {} });
const load = ({ level, items, lost, awaited }) => {
  const texels = arg.isVolume ? new VolumeTexels(renderer.gl, level)
    : new PictureTexels(renderer.gl, level, arg.isColour);
  items.forEach((samples, item) => {
    if (lost.includes(item)) texels.lose(item);
    else if (!awaited.includes(item)) {
      texels.put(item, arg.isColour ? toRgba(Uint8Array.from(samples), 255) : toHalf(samples, halfTable(arg.offset)));
    }
  });
  return texels;
};
const [fine, coarse] = [load(arg.fine), load(arg.coarse)];
const place = arg.place ?? m.screenToVoxel(arg.plane, arg.index, arg.camera, ...arg.size);
renderer.draw([{ rect: { x: 0, y: 0, width: arg.size[0], height: arg.size[1] }, fine, coarse, place,
  size: arg.voxels, shade: arg.shade, slab: arg.slab,
  isColour: arg.isColour }]);
const pixels = new Uint8Array(arg.size[0] * arg.size[1] * 4);
renderer.gl.readPixels(0, 0, ...arg.size, renderer.gl.RGBA, renderer.gl.UNSIGNED_BYTE, pixels);
const error = renderer.gl.getError();
renderer.wipe();
return { place, error, pixels: Array.from(pixels) };
"""


def level_of(frames: np.ndarray, number: int, strip_rows: int | None = None, **states: Any) -> dict[str, Any]:
    count, rows, columns = frames.shape[:3]
    step = strip_rows or rows
    strips = -(-rows // step)
    level = {
        "level": number,
        "Frames": count,
        "Rows": rows,
        "Columns": columns,
        "StripRows": step,
        "Strips": strips,
    }
    items = []
    for frame in frames:
        for y in range(0, rows, step):
            part = frame[y : y + step]
            items.append((np.moveaxis(part, 2, 0) if part.ndim == 3 else part).ravel().tolist())
    return {"level": level, "items": items, "lost": [], "awaited": [], **states}


def draw(
    run: Run, arg: dict[str, Any], *, before: str = "", after: str = ""
) -> tuple[dict[str, Any], np.ndarray]:
    """Draw, and give the picture as rows x columns x 3, top row first."""
    facts = {"size": SIZE, "offset": 2048, "camera": {"zoom": 1, "centre": [0, 0]}, "isColour": False, **arg}
    answer = run("planes", before + DRAW.replace("return {", after + "\nreturn {"), facts)
    assert answer["error"] == 0
    pixels = np.array(answer["pixels"], np.float64).reshape(SIZE[1], SIZE[0], 4)
    return answer["place"], pixels[::-1, :, :3]


def twin(frames: np.ndarray, place: dict[str, Any], scale: np.ndarray) -> np.ndarray:
    """Interpolated samples at each pixel's centre, NaN outside; `scale`: level 0 voxels to this level's, x y z."""
    x, y = np.meshgrid(np.arange(SIZE[0]) + 0.5, np.arange(SIZE[1]) + 0.5)
    origin, right, down = (np.array(place[name]) for name in ("origin", "right", "down"))
    p = origin + right * x[..., None] + down * y[..., None]
    q = (p * scale - 0.5)[..., ::-1]  # z, y, x, as the array lies
    size = np.array(frames.shape)
    low = np.floor(q).astype(int)
    share = q - low
    total = np.zeros(x.shape)
    for corner in np.ndindex(2, 2, 2):
        at = np.clip(low + corner, 0, size - 1)
        weight = np.prod(np.where(corner, share, 1 - share), axis=-1)
        total += weight * frames[at[..., 0], at[..., 1], at[..., 2]]
    outside = (p < 0).any(-1) | (p > np.array(place["voxels"])).any(-1)
    return np.where(outside, np.nan, total)


@pytest.fixture(scope="module")
def volume() -> np.ndarray:
    """Twelve bits, smooth enough to interpolate, odd on every side."""
    random = np.random.default_rng(3)
    rough = random.integers(0, 4096, (23, 31, 27)).astype(np.float64)
    for axis in range(3):
        rough = (rough + np.roll(rough, 1, axis)) / 2
    return rough.astype(np.uint16)


def facts_of(volume: np.ndarray, directions: Any = None) -> dict[str, Any]:
    z, y, x = volume.shape
    return {
        "kind": "volume", "Columns": x, "Rows": y, "NumberOfFrames": z, "spacing_mm": [0.6, 0.3, 0.4],
        "directions": directions,
    }  # fmt: skip


WINDOW = (1000.0, 2600.0)  # centre, width of samples
SHADE = [1 / WINDOW[1], (2048 - WINDOW[0]) / WINDOW[1] + 0.5]


def shown(samples: np.ndarray) -> np.ndarray:
    return np.clip((samples - WINDOW[0]) / WINDOW[1] + 0.5, 0, 1) * 255


@every_engine
@pytest.mark.parametrize(
    "view",
    [
        "axial",
        pytest.param("coronal", marks=pytest.mark.slow),
        pytest.param("sagittal", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(
    "directions",
    [
        None,
        pytest.param([[-1, 0, 0], [0, -1, 0], [0, 0, 1]], marks=pytest.mark.slow),
        pytest.param([[0, 1, 0], [0, 0, -1], [-1, 0, 0]], marks=pytest.mark.slow),
    ],
)
def test_cut_is_trilinear_in_every_direction(
    run: Run, volume: np.ndarray, view: str, directions: Any
) -> None:
    plane = run("planes", "return m.planeOf(arg.series, arg.view)",
                {"series": facts_of(volume, directions), "view": view})  # fmt: skip
    fine = level_of(volume, 0)
    for index, zoom in ((3, 1), (plane["count"] // 2, 2.3)):
        place, picture = draw(run, {
            "isVolume": True, "fine": fine, "coarse": fine, "plane": plane, "index": index, "shade": SHADE,
            "camera": {"zoom": zoom, "centre": [0.4, -0.7]}, "voxels": plane["dims"],
        })  # fmt: skip
        samples = twin(volume, {**place, "voxels": plane["dims"]}, np.ones(3))
        wanted = np.where(np.isnan(samples), 0, shown(np.nan_to_num(samples)))
        assert np.isfinite(samples).sum() > 1500
        assert np.abs(picture - wanted[..., None]).max() <= 1


@pytest.mark.slow
def test_coarser_level_lies_where_the_finer_will(run: Run, volume: np.ndarray) -> None:
    """Sizes round up on the way down: a level of 14 columns covers 28 voxels, of which 27 are there."""
    plane = run(
        "planes", "return m.planeOf(arg.series, arg.view)", {"series": facts_of(volume), "view": "coronal"}
    )
    small = halve(volume, along_frames=True)
    place, picture = draw(run, {
        "isVolume": True, "fine": level_of(volume, 0, awaited=list(range(23))), "coarse": level_of(small, 1),
        "plane": plane, "index": 9, "shade": SHADE, "voxels": plane["dims"],
    })  # fmt: skip
    samples = twin(small, {**place, "voxels": plane["dims"]}, np.full(3, 0.5))
    wanted = np.where(np.isnan(samples), 0, shown(np.nan_to_num(samples)))
    assert np.abs(picture - wanted[..., None]).max() <= 1


@pytest.mark.parametrize("awaited", [[9], [8], [9, 10], list(range(23))])
def test_slice_that_is_awaited_is_seen_in_the_coarser_level(
    run: Run, volume: np.ndarray, awaited: list[int]
) -> None:
    """All over the cut, drawn without masks; it lies between slices 8 and 9."""
    small = halve(volume, along_frames=True)
    place = {"origin": [0, 0, 9.0], "right": [27 / 150, 0, 0], "down": [0, 31 / 130, 0]}
    _, picture = draw(run, {
        "isVolume": True, "fine": level_of(volume, 0, awaited=awaited), "coarse": level_of(small, 1), "place": place,
        "shade": SHADE, "voxels": [27, 31, 23],
    })  # fmt: skip
    wanted = shown(twin(small, {**place, "voxels": [27, 31, 23]}, np.full(3, 0.5)))
    assert np.abs(picture - wanted[..., None]).max() <= 1


def test_lost_slice_is_striped_though_its_neighbour_is_awaited(run: Run, volume: np.ndarray) -> None:
    place = {"origin": [0, 0, 9.0], "right": [27 / 150, 0, 0], "down": [0, 31 / 130, 0]}
    _, picture = draw(run, {
        "isVolume": True, "fine": level_of(volume, 0, awaited=[9], lost=[8]),
        "coarse": level_of(halve(volume, along_frames=True), 1), "place": place, "shade": SHADE, "voxels": [27, 31, 23],
    })  # fmt: skip
    assert is_striped(picture).all()


def is_striped(picture: np.ndarray) -> np.ndarray:
    """Stripes are brown, grey pictures are not."""
    return picture[..., 0] > picture[..., 2] + 4


@every_engine
def test_lost_slices_are_striped_and_the_rest_is_not(run: Run, volume: np.ndarray) -> None:
    plane = run(
        "planes", "return m.planeOf(arg.series, arg.view)", {"series": facts_of(volume), "view": "coronal"}
    )
    fine = level_of(volume, 0, lost=[9, 10])
    whole = level_of(volume, 0)
    place, picture = draw(run, {
        "isVolume": True, "fine": fine, "coarse": whole, "plane": plane, "index": 9, "shade": SHADE,
        "voxels": plane["dims"],
    })  # fmt: skip
    y = np.arange(SIZE[1]) + 0.5
    z = place["origin"][2] + place["down"][2] * y
    lost = (z > 8.5) & (z < 11.5)  # also where a neighbour is mixed in
    inside = is_striped(picture[:, SIZE[0] // 2 - 20 : SIZE[0] // 2 + 20]).all(axis=1)
    assert np.array_equal(inside, lost)
    samples = twin(volume, {**place, "voxels": plane["dims"]}, np.ones(3))
    wanted = np.where(np.isnan(samples), 0, shown(np.nan_to_num(samples)))
    assert np.abs(picture - wanted[..., None])[~lost].max() <= 1


@every_engine
def test_picture_of_strips_is_whole_and_tells_the_lost_one(run: Run) -> None:
    image = np.random.default_rng(5).integers(0, 4096, (1, 50, 41)).astype(np.uint16)
    place = {"origin": [0, 0, 0.5], "right": [41 / 150, 0, 0], "down": [0, 50 / 130, 0]}
    common = {"isVolume": False, "place": place, "shade": SHADE, "voxels": [41, 50, 1]}
    whole = level_of(image, 0, strip_rows=16)
    _, picture = draw(run, {**common, "fine": whole, "coarse": whole})
    wanted = shown(twin(image, {**place, "voxels": [41, 50, 1]}, np.ones(3)))
    assert np.abs(picture - wanted[..., None]).max() <= 1

    lost = level_of(image, 0, strip_rows=16, lost=[1])
    _, picture = draw(run, {**common, "fine": lost, "coarse": whole})
    rows = (np.arange(130) + 0.5) * 50 / 130
    assert np.array_equal(is_striped(picture).all(axis=1), (rows > 15.5) & (rows < 32.5))


@every_engine
def test_colour_is_drawn_as_it_is(run: Run) -> None:
    image = np.random.default_rng(6).integers(0, 256, (1, 13, 15, 3)).astype(np.uint8)
    place = {"origin": [0, 0, 0.5], "right": [0.1, 0, 0], "down": [0, 0.1, 0]}
    level = level_of(image, 0)
    _, picture = draw(run, {
        "isVolume": False, "isColour": True, "fine": level, "coarse": level, "place": place, "shade": [9, 9],
        "voxels": [15, 13, 1],
    })  # fmt: skip
    for channel in range(3):
        wanted = twin(image[..., channel], {**place, "voxels": [15, 13, 1]}, np.ones(3))
        # Mesa weighs texels of 8 bits in 8 bits, so a step and a half.
        assert np.abs(picture[..., channel] - wanted).max() <= 1.5
