"""Previews: which way up, which side, through the window."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from portal.dicom.display import DisplaySpec
from portal.dicom.geometry import Arrangement
from portal.dicom.headers import Vector
from portal.dicom.pyramid import PyramidBuilder, level_sizes
from portal.records.ingest.previews import PreviewTaker, to_grey_levels

SPEC = DisplaySpec(1.0, 0.0, 127.5, 255.0, (0.0, 255.0), 2, 1, "HU")
AXIAL: tuple[Vector, Vector, Vector] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
# The same head scanned in sagittal slices: rows run down, columns to the back, slices to the left.
SAGITTAL: tuple[Vector, Vector, Vector] = ((0, 1, 0), (0, 0, -1), (1, 0, 0))


def head() -> np.ndarray:
    """A block (z, y, x) of 40 x 60 x 50 whose brightness tells left (x), back (y) and up (z)."""
    z, y, x = np.mgrid[0:40, 0:60, 0:50]
    return (x * 2 + y + (z > 30) * 60).astype(np.uint16)


def drawn(volume: np.ndarray, directions: tuple[Vector, Vector, Vector]) -> dict[str, np.ndarray]:
    """The previews of a volume given as frames, by view."""
    frames, rows, columns = volume.shape
    arrangement = Arrangement("volume", tuple(range(frames)), (1.0, 1.0, 1.0), True, directions, ())
    taker = PreviewTaker(arrangement, SPEC, level_sizes("volume", rows, columns, frames, 1, 2))
    builder = PyramidBuilder("volume", rows, columns, frames)
    for frame in volume:
        for level, index, pixels in builder.push(frame):
            taker.see(level, index, pixels)
    return {
        preview.view: np.asarray(Image.open(io.BytesIO(preview.webp)).convert("L"), np.int16)
        for preview in taker.previews()
    }


@pytest.mark.parametrize("how", ["axial", "sagittal"])
def test_cuts_lie_the_same_however_the_slices_were_taken(how: str) -> None:
    volume = head()
    if how == "axial":
        views = drawn(volume, AXIAL)
    else:
        views = drawn(np.ascontiguousarray(volume.transpose(2, 0, 1)[:, ::-1]), SAGITTAL)
    axial, coronal, sagittal = views["axial"], views["coronal"], views["sagittal"]
    assert axial.shape == (60, 50)
    assert coronal.shape == (40, 50)
    assert sagittal.shape == (40, 60)
    assert axial[30, 45] > axial[30, 5] + 40, "the patient's left is on the right of the picture"
    assert axial[55, 25] > axial[5, 25] + 20, "the back is at the bottom"
    assert coronal[4, 25] > coronal[35, 25] + 30, "the head is up"
    assert sagittal[4, 55] > sagittal[4, 5] + 20, "the face looks to the left"


def test_a_long_voxel_makes_a_long_picture() -> None:
    arrangement = Arrangement("volume", tuple(range(20)), (5.0, 0.5, 0.5), True, AXIAL, ())
    taker = PreviewTaker(arrangement, SPEC, level_sizes("volume", 100, 100, 20, 1, 2))
    builder = PyramidBuilder("volume", 100, 100, 20)
    for frame in np.zeros((20, 100, 100), np.uint16):
        for level, index, pixels in builder.push(frame):
            taker.see(level, index, pixels)
    sizes = {preview.view: (preview.width, preview.height) for preview in taker.previews()}
    assert sizes == {"axial": (100, 100), "coronal": (50, 100), "sagittal": (50, 100)}


def test_a_large_picture_is_drawn_at_1024() -> None:
    arrangement = Arrangement("image", (0,), None, False, None, ())
    taker = PreviewTaker(arrangement, SPEC, level_sizes("image", 2500, 5000, 1, 1, 2))
    builder = PyramidBuilder("image", 2500, 5000, 1)
    for level, index, pixels in builder.push(np.full((2500, 5000), 200, np.uint16)):
        taker.see(level, index, pixels)
    (preview,) = taker.previews()
    assert (preview.view, preview.index, preview.width, preview.height) == ("image", 3, 1024, 512)


def test_the_window_is_linear_and_clamped() -> None:
    spec = DisplaySpec(2.0, -1000.0, 0.0, 1000.0, (-1000.0, 1000.0), 2, 1, "HU")
    shown = to_grey_levels(np.array([[0, 250, 500, 750, 1000]], np.uint16), spec)
    assert shown.tolist() == [[0, 0, 128, 255, 255]]
