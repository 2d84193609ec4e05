"""codec.js undoes what an encoder written apart from it wrote, and its half floats are numpy's."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from .every_engine import every_engine
from .fake_study import encode_item

Run = Callable[..., Any]
SHAPES = [(1, 1), (1, 9), (7, 1), (5, 8), (33, 31)]


@every_engine
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("planes", [1, 3])
def test_item_decodes_to_the_samples_that_were_encoded(run: Run, dtype: type, planes: int) -> None:
    random = np.random.default_rng(7)
    for rows, columns in SHAPES:
        shape = (rows, columns) if planes == 1 else (rows, columns, 3)
        samples = random.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
        facts = {"rows": rows, "columns": columns, "planes": planes, "sampleBytes": np.dtype(dtype).itemsize}
        decoded = run(
            "codec",
            "return Array.from(m.undoItem(Uint8Array.from(arg.bytes), arg.shape))",
            {"bytes": list(zlib.decompress(encode_item(samples))), "shape": facts},
        )
        expected = np.moveaxis(samples, 2, 0) if planes == 3 else samples
        assert decoded == expected.ravel().tolist()


def test_item_of_another_length_is_refused(run: Run) -> None:
    shape = {"rows": 2, "columns": 2, "planes": 1, "sampleBytes": 2}
    body = "try { m.undoItem(new Uint8Array(arg.n), arg.shape); return 'taken' } catch (e) { return e.name }"
    assert [run("codec", body, {"n": n, "shape": shape}) for n in (7, 8, 9)] == [
        "RangeError",
        "taken",
        "RangeError",
    ]


def test_twelve_bit_samples_are_exact_in_half_floats(run: Run) -> None:
    bits = run("codec", "return Array.from(m.halfTable(2048).subarray(0, 4097))")
    assert np.array(bits, np.uint16).view(np.float16).tolist() == list(range(-2048, 2049))


@every_engine
@pytest.mark.parametrize("offset", [0, 1500, 32768, 65535])
def test_half_floats_are_those_of_numpy_and_within_one_2048th(run: Run, offset: int) -> None:
    bits = run("codec", "return Array.from(m.halfTable(arg))", offset)
    halves = np.array(bits, np.uint16).view(np.float16).astype(np.float64)
    wanted = np.arange(65536) - offset
    assert np.array_equal(halves, np.clip(wanted, -65504, 65504).astype(np.float16).astype(np.float64))
    assert np.abs(halves - wanted).max() <= 65536 / 2048


@pytest.mark.parametrize(
    ("value_range", "centre", "offset"),
    [
        ([-1000, 3095], 500, 2048),
        ([0, 255], 128, 128),
        ([-1000, 30000], 500, 1500),
        ([-1000, 64000], 90000, 65535),
    ],
)
def test_offset_keeps_all_or_the_window_exact(
    run: Run, value_range: list[int], centre: int, offset: int
) -> None:
    intercept = min(value_range[0], 0)
    series = {"slope": 1, "intercept": intercept, "value_range": value_range, "window": {"center": centre}}
    assert run("codec", "return m.halfOffset(arg)", series) == offset


def test_colour_planes_become_rgba(run: Run) -> None:
    assert run("codec", "return Array.from(m.toRgba(Uint8Array.of(1, 2, 3, 4, 5, 6), 255))") == [
        1, 3, 5, 255, 2, 4, 6, 255,
    ]  # fmt: skip
    deep = run("codec", "return Array.from(m.toRgba(Uint16Array.of(0, 32768, 65535), 65535))")
    assert deep == [0, 128, 255, 255]
