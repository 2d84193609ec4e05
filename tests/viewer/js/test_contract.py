"""The browser tests' made-up study and the product's own encoder write the same bytes, so both mean the contract."""

from __future__ import annotations

import zlib
from typing import Literal

import numpy as np
import pytest

from portal.dicom.frames import encode_item, strips_for
from portal.dicom.pyramid import PyramidBuilder

from . import fake_study


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(33, 31), (33, 31, 3)])
def test_items_are_the_same(dtype: type, shape: tuple[int, ...]) -> None:
    samples = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    product = encode_item(samples, np.dtype(dtype).itemsize)
    assert zlib.decompress(product) == zlib.decompress(fake_study.encode_item(samples))


@pytest.mark.parametrize("kind", ["volume", "stack"])
def test_levels_are_the_same(kind: Literal["volume", "stack"]) -> None:
    frames = np.random.default_rng(2).integers(0, 4096, (7, 131, 90)).astype(np.uint16)
    builder = PyramidBuilder(kind, 131, 90, 7)
    built: dict[int, list[np.ndarray]] = {}
    for frame in frames:
        for level, _, pixels in builder.push(frame):
            built.setdefault(level, []).append(pixels.copy())
    for level, _, pixels in builder.finish() or ():
        built.setdefault(level, []).append(pixels.copy())
    fake = fake_study.FakeSeries("x", "x", kind, frames, (0, 1)).levels
    assert len(built) == len(fake)
    for level, expected in enumerate(fake):
        assert np.array_equal(np.stack(built[level]), expected), level


@pytest.mark.parametrize(("rows", "columns"), [(100, 100), (2048, 1024), (2049, 1024), (5120, 4096)])
def test_strips_are_the_same(rows: int, columns: int) -> None:
    frames = np.zeros((1, rows, columns), np.uint16)
    fake = fake_study.FakeSeries.__new__(fake_study.FakeSeries)
    fake.strip_rows = None
    step = fake.rows_of_strip(frames)
    assert strips_for(rows, columns, 1, 2) == (step, -(-rows // step))
