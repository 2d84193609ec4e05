"""What the shared images should look like: computed with pydicom and GDCM, by nothing of the product."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.pixels import apply_modality_lut, pixel_array

from tests.browser.likeness import windowed


@dataclass(frozen=True)
class Picture:
    """The picture that the viewer begins with: the middle slice of a stack, or the one image."""

    title: str
    name: str
    count: int
    grey: NDArray[np.uint8]


def read(path: Path) -> list[Dataset]:
    """The file, or all below the folder."""
    paths = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    return [pydicom.dcmread(one) for one in paths]


def pictures(datasets: list[Dataset]) -> list[Picture]:
    """One a series."""
    series: dict[str, list[Dataset]] = {}
    for ds in datasets:
        series.setdefault(ds.SeriesInstanceUID, []).append(ds)
    return [_of_series(members) for members in series.values()]


def _of_series(members: list[Dataset]) -> Picture:
    first = members[0]
    if "PerFrameFunctionalGroupsSequence" in first:
        return _of_frames(first)
    if len(members) == 1:
        return Picture(
            first.SeriesDescription,
            _name(first),
            1,
            _grey(first, pixel_array(first, decoding_plugin=_plugin(first))),
        )
    members.sort(key=lambda ds: _height(ds.ImagePositionPatient, ds.ImageOrientationPatient))
    middle = members[len(members) // 2]
    return Picture(first.SeriesDescription, "3D scan", len(members), _grey(middle, pixel_array(middle)))


def _name(ds: Dataset) -> str:
    """What a patient reads."""
    return {"PX": "Panoramic X-ray", "IO": "Tooth X-ray"}.get(ds.Modality, "X-ray")


def _of_frames(ds: Dataset) -> Picture:
    """The middle frame of an enhanced object by place; PS3.3 C.7.6.16."""
    shared = ds.SharedFunctionalGroupsSequence[0]
    order = [_frame_height(shared, frame) for frame in ds.PerFrameFunctionalGroupsSequence]
    index = int(np.argsort(order)[len(order) // 2])
    groups = (ds.PerFrameFunctionalGroupsSequence[index], shared)
    to_hu = _group(groups, "PixelValueTransformationSequence")
    window = _group(groups, "FrameVOILUTSequence")
    hu = pixel_array(ds, index=index) * float(to_hu.RescaleSlope) + float(to_hu.RescaleIntercept)
    return Picture(
        ds.SeriesDescription,
        "3D scan",
        len(order),
        windowed(hu, _first(window.WindowCenter), _first(window.WindowWidth)),
    )


def _group(groups: tuple[Dataset, ...], keyword: str) -> Dataset:
    return next(group[keyword].value[0] for group in groups if keyword in group)


def _frame_height(shared: Dataset, frame: Dataset) -> float:
    plane = _group((frame, shared), "PlanePositionSequence")
    turn = _group((frame, shared), "PlaneOrientationSequence")
    return _height(plane.ImagePositionPatient, turn.ImageOrientationPatient)


def _height(position: MultiValue, orientation: MultiValue) -> float:
    """The place along the slices' normal, counted towards the head."""
    row, column = np.array(orientation[:3], float), np.array(orientation[3:], float)
    normal = np.cross(row, column)
    return float(np.dot(normal * np.sign(normal[2] or 1), np.array(position, float)))


def _grey(ds: Dataset, stored: NDArray[np.generic]) -> NDArray[np.uint8]:
    """As it is to be shown: modality values through the file's first window, or all that is in it."""
    values = np.asarray(apply_modality_lut(stored, ds), np.float64)
    if "WindowCenter" in ds:
        grey = windowed(values, _first(ds.WindowCenter), _first(ds.WindowWidth))
    else:
        low, high = values.min(), values.max()
        grey = windowed(values, (low + high) / 2, high - low)
    return 255 - grey if ds.PhotometricInterpretation == "MONOCHROME1" else grey


def _first(value: object) -> float:
    return float(value[0] if isinstance(value, MultiValue) else value)  # type: ignore[arg-type]


def _plugin(ds: Dataset) -> str:
    return "gdcm" if ds.file_meta.TransferSyntaxUID.is_compressed else ""
