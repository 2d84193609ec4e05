"""V5: one head, however its slices were written, comes out as one volume the same way round, or as slices and why.

The head is made once by the shared generator; each dialect writes bits, sign, rescale and order its own way. The
turned ones are the same voxels written anew as another scanner would have: feet first, face down, in coronal or
sagittal slices. All are compared voxel by voxel in Hounsfield units.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from portal.dicom.display import unify
from portal.dicom.geometry import SENTENCES, Arrangement, arrange
from portal.dicom.headers import Plane
from portal.dicom.sandbox import Sandbox
from portal.records.ingest.patient_axes import in_patient_axes
from tests.made_head import CEILINGS, DIALECTS, hounsfield, make_head

Files = list[bytes]


@pytest.fixture(scope="module")
def box() -> object:
    with Sandbox() as reader:
        yield reader


@pytest.fixture(scope="module")
def make(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Files]:
    """The head in a dialect of the generator, in the order of its files."""
    return lambda dialect: make_head(data_dir, tmp_path_factory.mktemp(dialect), dialect)


@pytest.fixture(scope="module")
def plain(make: Callable[[str], Files]) -> Files:
    return make("plain")


def arranged(box: Sandbox, files: Files) -> Arrangement:
    headers = [box.read_header(data) for data in files]
    planes = [header.planes[0] for header in headers]
    return arrange(planes, [header.instance_number for header in headers])


def head(box: Sandbox, files: Files) -> np.ndarray:
    """The volume in HU, axes to the head, the back and the left."""
    arrangement = arranged(box, files)
    assert arrangement.kind == "volume", arrangement.notices
    assert arrangement.notices == ()
    assert arrangement.spacing_mm == pytest.approx([2.5, 2.5, 2.5])
    spec = unify([box.describe_pixels(data) for data in files])
    # Each to its end: who stops early ends the child, and the next file waits for another.
    frames = [frame for place in arrangement.order for frame in box.decode(files[place], spec=spec)]
    hounsfield = np.stack(frames) * spec.slope + spec.intercept
    return in_patient_axes(hounsfield, arrangement, 0).volume


@pytest.fixture(scope="module")
def truth(plain: Files) -> np.ndarray:
    return hounsfield(plain)


def read(data: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(data))


def written(ds: Dataset) -> bytes:
    out = io.BytesIO()
    ds.save_as(out)
    return out.getvalue()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_v5_every_dialect_is_the_same_head(
    box: Sandbox, make: Callable[[str], Files], truth: np.ndarray, dialect: str
) -> None:
    files = make(dialect)
    random.Random(5).shuffle(files)
    seen = head(box, files)
    assert seen.shape == truth.shape
    # Half a step of the coarsest rescale is lost.
    assert np.abs(seen - np.minimum(truth, CEILINGS.get(dialect, np.inf))).max() <= 1


# What the axes of the written frames point to, in LPS: (stacking, down, across).
TURNED = {
    "feet_first": ((0, 0, -1), (0, 1, 0), (-1, 0, 0)),
    "face_down": ((0, 0, 1), (0, -1, 0), (-1, 0, 0)),
    "coronal": ((0, 1, 0), (0, 0, -1), (1, 0, 0)),
    "coronal_from_behind": ((0, -1, 0), (0, 0, -1), (-1, 0, 0)),
    "sagittal": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
}


@pytest.mark.parametrize("way", TURNED)
def test_v5_every_way_to_lie_is_the_same_head(
    box: Sandbox, plain: Files, truth: np.ndarray, way: str
) -> None:
    files = turned(plain, truth, TURNED[way])
    random.Random(6).shuffle(files)
    assert np.array_equal(head(box, files), truth)


def turned(plain: Files, truth: np.ndarray, ways: tuple[tuple[int, ...], ...]) -> Files:
    """The same voxels as slices stacked, and counted down and across, along `ways`."""
    directions = np.array(ways, float)
    axes = [2 - int(np.abs(way).argmax()) for way in directions]  # of the array: z, y, x
    flips = tuple(slice(None, None, -1 if way.sum() < 0 else 1) for way in directions)
    slices = truth.transpose(axes)[flips]
    # The first voxel lies at the low end of an axis, or at the high end of one that runs backwards.
    start = np.zeros(3)
    for axis, way in zip(axes, directions, strict=True):
        if way.sum() < 0:
            start[2 - axis] = (truth.shape[axis] - 1) * 2.5
    files = []
    for index, pixels in enumerate(slices):
        ds = read(plain[0])
        ds.SOPInstanceUID = f"2.25.77{index}"
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.InstanceNumber = index + 1
        ds.ImageOrientationPatient = [*directions[2], *directions[1]]
        ds.ImagePositionPatient = list(start + directions[0] * 2.5 * index)
        ds.Rows, ds.Columns = pixels.shape
        ds.PixelData = np.rint(pixels + 1000).astype("<u2").tobytes()
        files.append(written(ds))
    return files


def moved(plain: Files, shift: Callable[[int], tuple[float, float, float]]) -> Files:
    """The slices, each pushed to another place."""
    files = []
    for index, data in enumerate(plain):
        ds = read(data)
        ds.ImagePositionPatient = [
            at + by for at, by in zip(ds.ImagePositionPatient, shift(index), strict=True)
        ]
        files.append(written(ds))
    return files


def faulty(plain: Files, fault: str) -> Files:
    match fault:
        case "missing":
            return plain[:12] + plain[14:]
        case "duplicate":
            return [*plain, moved(plain[4:5], lambda _: (0, 0, 0))[0]]
        case "tilted":
            return moved(plain, lambda index: (0, 0.45 * index, 0))
        case "uneven":
            return moved(plain, lambda index: (0, 0, 0.9 if index == 7 else 0))
        case "unplaced":
            ds = read(plain[3])
            del ds.ImagePositionPatient
            return [*plain[:3], written(ds), *plain[4:]]
        case "sizes":
            ds = read(plain[3])
            ds.PixelSpacing = [2.4, 2.4]
            return [*plain[:3], written(ds), *plain[4:]]
        case "turned":
            ds = read(plain[3])
            ds.ImageOrientationPatient = [0.999, 0.0447, 0, -0.0447, 0.999, 0]
            return [*plain[:3], written(ds), *plain[4:]]
    raise AssertionError(fault)


@pytest.mark.parametrize("fault", SENTENCES)
def test_v5_what_is_not_sound_is_shown_slice_by_slice_with_the_reason(
    box: Sandbox, plain: Files, fault: str
) -> None:
    arrangement = arranged(box, faulty(plain, fault))
    assert arrangement.kind == "stack"
    assert arrangement.notices[0] == SENTENCES[fault]


def test_v5_a_little_tilt_within_half_a_pixel_is_still_a_volume(box: Sandbox, plain: Files) -> None:
    assert arranged(box, moved(plain, lambda index: (0, 0.04 * index, 0))).kind == "volume"


def test_v5_one_slice_is_a_picture_and_two_are_a_stack(box: Sandbox, plain: Files) -> None:
    assert arranged(box, plain[:1]).kind == "image"
    assert arranged(box, plain[:2]).kind == "stack"


@pytest.mark.parametrize(("folder", "count"), [("head_ct_cranium", 108), ("head_phantom_philips", 12)])
def test_v5_scanners_slices_lie_from_the_neck_up(
    box: Sandbox, data_dir: Path, folder: str, count: int
) -> None:
    files = [path.read_bytes() for path in sorted((data_dir / folder).rglob("*")) if path.is_file()]
    headers = [box.read_header(data) for data in files]
    planes: list[Plane] = [header.planes[0] for header in headers]
    arrangement = arrange(planes)
    assert (arrangement.kind, len(arrangement.order)) == ("volume", count)
    heights = [planes[place].position_mm[2] for place in arrangement.order if planes[place].position_mm]  # type: ignore[index]
    assert heights == sorted(heights)
    assert arrangement.directions is not None
    assert arrangement.directions[2][2] > 0.9
