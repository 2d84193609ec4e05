"""The arch as it is stored: the same place in the patient however the slices lie, and a picture that reads as teeth."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from portal.dicom.display import DisplaySpec
from portal.dicom.geometry import Arrangement
from portal.dicom.headers import Vector
from portal.dicom.pyramid import PyramidBuilder, level_sizes
from portal.records.ingest.arch import arch_of
from portal.records.ingest.patient_axes import Turned, in_patient_axes
from portal.records.ingest.previews import Preview, PreviewTaker
from tests.portal.dicom.heads import PEOPLE, Pose, error_mm, head

SPEC = DisplaySpec(1.0, -1024.0, 800.0, 3400.0, (-1024.0, 7000.0), 2, 1, "HU")
CORNER = (-40.0, -30.0, 500.0)
Directions = tuple[Vector, Vector, Vector]

AXIAL: Directions = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
MIRRORED: Directions = ((-1, 0, 0), (0, -1, 0), (0, 0, 1))
SAGITTAL: Directions = ((0, 1, 0), (0, 0, -1), (1, 0, 0))


def stored(directions: Directions, level: int = 0) -> Turned:
    """The first head scanned so that its frames, rows and columns run along `directions`, turned back."""
    volume = head(PEOPLE[0])  # z, y, x
    position = np.array(CORNER)
    axes = [int(np.abs(directions[k]).argmax()) for k in (2, 1, 0)]  # patient axis of frame, row, column
    frames = volume.transpose([2 - axis for axis in axes])
    for at, direction in enumerate((directions[2], directions[1], directions[0])):
        if sum(direction) < 0:
            frames = np.flip(frames, at)
            position[axes[at]] += volume.shape[2 - axes[at]] - 1
    arrangement = Arrangement(
        "volume", (), (1.0, 1.0, 1.0), True, directions, (), (position[0], position[1], position[2])
    )
    return in_patient_axes(frames, arrangement, level)


@pytest.mark.parametrize("directions", [AXIAL, MIRRORED, SAGITTAL])
def test_v5_turned_volume_lies_where_the_patient_lies(directions: Directions) -> None:
    turned = stored(directions)
    assert np.array_equal(turned.volume, head(PEOPLE[0]))
    assert turned.in_patient(np.array([[0.0, 0, 0], [1, 2, 3]])) == pytest.approx(
        np.array([CORNER, (-39.0, -28.0, 503.0)])
    )


def test_middle_of_a_coarse_voxel_is_the_middle_of_the_fine_ones() -> None:
    assert stored(AXIAL, level=1).in_patient(np.zeros((1, 3))) == pytest.approx(np.array([CORNER]) + 0.5)


def test_arch_is_told_in_patient_coordinates() -> None:
    arch = arch_of(stored(MIRRORED), "CT", SPEC)
    assert arch is not None
    assert arch.document["method"] == 1
    assert error_mm(np.array(arch.document["points"]) - CORNER, PEOPLE[0], Pose()) <= 1.5


def test_only_a_placed_ct_has_an_arch() -> None:
    turned = stored(AXIAL)
    assert arch_of(turned, "MR", SPEC) is None
    assert arch_of(Turned(turned.volume, turned.spacing), "CT", SPEC) is None


def previews(volume: np.ndarray) -> dict[str, Preview]:
    """What the ingest draws of a head."""
    frames, rows, columns = volume.shape
    arrangement = Arrangement("volume", tuple(range(frames)), (1.0, 1.0, 1.0), True, AXIAL, (), CORNER)
    taker = PreviewTaker(arrangement, SPEC, level_sizes("volume", rows, columns, frames, 1, 2), "CT")
    builder = PyramidBuilder("volume", rows, columns, frames)
    for frame in volume:
        for level, index, pixels in builder.push(frame):
            taker.see(level, index, pixels)
    return {preview.view: preview for preview in taker.previews()}


def test_v5_first_picture_is_the_panorama_with_the_implant_on_its_right() -> None:
    drawn = previews((head(PEOPLE[0]) + 1024).astype(np.uint16))
    panorama = next(iter(drawn.values()))
    assert (panorama.view, panorama.index) == ("panorama", 4)
    grey = np.asarray(Image.open(io.BytesIO(panorama.webp)).convert("L"), np.float32)
    middle = grey.shape[1] // 2
    below_the_bite = grey[grey.shape[0] // 2 :]  # tooth 36 stands in the left half of the lower jaw
    assert below_the_bite[:, middle:].max() > below_the_bite[:, :middle].max() + 20
