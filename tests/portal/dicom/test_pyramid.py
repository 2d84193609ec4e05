"""The pyramid, against means worked out by another road."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from portal.dicom.pyramid import Kind, PyramidBuilder, level_sizes


def built(kind: Kind, frames: np.ndarray) -> dict[int, np.ndarray]:
    samples = frames.shape[3] if frames.ndim == 4 else 1
    builder = PyramidBuilder(kind, frames.shape[1], frames.shape[2], frames.shape[0], samples)
    levels: dict[int, list[np.ndarray]] = {}
    for frame in frames:
        for level, index, pixels in builder.push(frame):
            assert index == len(levels.setdefault(level, []))
            levels[level].append(pixels)
    builder.finish()
    return {level: np.stack(pixels) for level, pixels in levels.items()}


def mean_of(frames: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """The mean of pairs along `axes`, by padding and exact integers; half up."""
    sums = frames.astype(np.int64)
    for axis in axes:
        if sums.shape[axis] % 2:
            sums = np.concatenate((sums, sums.take([-1], axis)), axis)
        sums = sums.take(range(0, sums.shape[axis], 2), axis) + sums.take(range(1, sums.shape[axis], 2), axis)
    count = 2 ** len(axes)
    return ((2 * sums + count) // (2 * count)).astype(frames.dtype)


@settings(deadline=None, max_examples=40)
@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.uint16]),
        hnp.array_shapes(min_dims=3, max_dims=3, min_side=60, max_side=70),
    ),
    st.sampled_from(["volume", "stack"]),
)
def test_each_level_is_the_mean_of_the_one_before(frames: np.ndarray, kind: Kind) -> None:
    levels = built(kind, frames)
    axes = (0, 1, 2) if kind == "volume" else (1, 2)
    assert np.array_equal(levels[0], frames)
    for level in range(1, len(levels)):
        assert np.array_equal(levels[level], mean_of(levels[level - 1], axes))


def test_mean_is_rounded_half_up() -> None:
    frame = np.zeros((66, 66), np.uint8)
    frame[0, 0], frame[0, 1], frame[2, 2] = 1, 1, 1
    half = built("image", frame[None])[1][0]
    assert (half[0, 0], half[1, 1]) == (1, 0)


def test_colours_are_averaged_each_for_itself() -> None:
    frames = np.random.default_rng(1).integers(0, 256, (2, 101, 80, 3), np.uint8)
    levels = built("stack", frames)
    assert np.array_equal(levels[1], mean_of(frames, (1, 2)))


@pytest.mark.parametrize(
    ("kind", "size", "shapes"),
    [
        ("volume", (200, 200, 150), [(150, 200, 200), (75, 100, 100), (38, 50, 50)]),
        ("stack", (200, 200, 150), [(150, 200, 200), (150, 100, 100), (150, 50, 50)]),
        ("image", (64, 64, 1), [(1, 64, 64)]),
        (
            "image",
            (5120, 4096, 1),
            [(1, 5120, 4096), (1, 2560, 2048), (1, 1280, 1024), (1, 640, 512), (1, 320, 256)],
        ),
        ("volume", (10, 10, 100), [(100, 10, 10), (50, 5, 5)]),
    ],
)
def test_levels_end_at_64_or_after_five(
    kind: Kind, size: tuple[int, int, int], shapes: list[tuple[int, ...]]
) -> None:
    sizes = level_sizes(kind, *size, 1, 2)
    assert [(level.frames, level.rows, level.columns) for level in sizes] == shapes
    assert [level.level for level in sizes] == list(range(len(sizes)))


def test_levels_built_are_the_levels_stated() -> None:
    frames = np.zeros((131, 67, 90), np.uint16)
    stated = [(size.frames, size.rows, size.columns) for size in level_sizes("volume", 67, 90, 131, 1, 2)]
    assert [level.shape for level in built("volume", frames).values()] == stated


def test_missing_and_foreign_frames_are_errors() -> None:
    builder = PyramidBuilder("volume", 8, 8, 2)
    list(builder.push(np.zeros((8, 8), np.uint16)))
    with pytest.raises(ValueError, match="fewer"):
        builder.finish()
    with pytest.raises(ValueError, match="belong"):
        list(builder.push(np.zeros((8, 9), np.uint16)))
