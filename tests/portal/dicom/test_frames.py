"""The viewer's codec: what goes in comes out, and nothing else is taken for an item."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from portal.dicom.frames import decode_item, encode_item, strips_for
from portal.errors import VaultDamaged

shapes = st.one_of(
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=40),
    st.tuples(st.integers(1, 30), st.integers(1, 30), st.just(3)),
)


@settings(deadline=None)
@given(st.sampled_from([np.uint8, np.uint16]).flatmap(lambda kind: hnp.arrays(kind, shapes)))
def test_any_picture_survives_the_codec(pixels: np.ndarray) -> None:
    samples = pixels.shape[2] if pixels.ndim == 3 else 1
    item = encode_item(pixels, pixels.itemsize)
    assert np.array_equal(decode_item(item, *pixels.shape[:2], samples, pixels.itemsize), pixels)


def test_codec_is_the_one_the_browser_undoes() -> None:
    """The bytes of a 2 x 2 picture, worked out by hand from the wire contract."""
    item = encode_item(np.array([[5, 3], [0, 65535]], np.uint16), 2)
    # residuals 5, -2, -5, 65535 - 0 - 3 + 5 = 1; zigzag 10, 3, 9, 2
    assert zlib.decompress(item) == bytes([0, 0, 0, 0, 10, 3, 9, 2])


@pytest.mark.parametrize("cut", [0, 5, -1])
def test_cut_item_is_damage(cut: int) -> None:
    item = encode_item(np.arange(100, dtype=np.uint16).reshape(10, 10), 2)
    with pytest.raises(VaultDamaged):
        decode_item(item[:cut], 10, 10, 1, 2)


def test_item_of_another_size_is_damage() -> None:
    item = encode_item(np.zeros((10, 10), np.uint16), 2)
    for rows, columns in ((9, 10), (10, 11), (1000, 1000)):
        with pytest.raises(VaultDamaged):
            decode_item(item, rows, columns, 1, 2)
    with pytest.raises(VaultDamaged):
        decode_item(item + b"x", 10, 10, 1, 2)


def test_samples_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="size"):
        encode_item(np.zeros((4, 4), np.int16), 2)


@pytest.mark.parametrize(
    ("size", "strips"),
    [
        ((512, 512, 1, 2), (512, 1)),
        ((2048, 1024, 1, 2), (2048, 1)),
        ((2049, 1024, 1, 2), (1024, 3)),
        ((5120, 4096, 1, 1), (512, 10)),
        ((16384, 16384, 3, 1), (42, 391)),
    ],
)
def test_large_frames_are_cut_into_strips(size: tuple[int, int, int, int], strips: tuple[int, int]) -> None:
    assert strips_for(*size) == strips


@given(st.integers(1, 16384), st.integers(1, 16384), st.sampled_from([(1, 1), (1, 2), (3, 1)]))
def test_strips_cover_a_frame_and_fit_a_batch(rows: int, columns: int, kind: tuple[int, int]) -> None:
    strip_rows, strips = strips_for(rows, columns, *kind)
    assert (strips - 1) * strip_rows < rows <= strips * strip_rows
    assert strip_rows * columns * kind[0] * kind[1] <= 4 << 20
