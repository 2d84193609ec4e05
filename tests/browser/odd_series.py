"""Series as real scanners and real mishaps write them, each with what must be seen of it.

The head is small and computed; the true picture is taken from its voxels by numpy.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from portal.dicom.geometry import SENTENCES
from portal.phantom.dicom_writer import BONE_WINDOW, Visit, write_slice
from portal.phantom.people import InventedPatient
from portal.phantom.volume import Grid, scan
from tests.browser.likeness import windowed

SHAPE, VOXEL_MM = (30, 64, 60), 2.0
TAKEN_ON = date(2026, 3, 12)
CENTER, WIDTH = map(int, BONE_WINDOW)

# What the axes of the written frames point to, in LPS: (stacking, down, across).
WAYS = {
    "head first": ((0, 0, 1), (0, 1, 0), (1, 0, 0)),
    "feet first, written downwards": ((0, 0, -1), (0, 1, 0), (-1, 0, 0)),
    "face down": ((0, 0, 1), (0, -1, 0), (-1, 0, 0)),
    "in coronal slices": ((0, 1, 0), (0, 0, -1), (1, 0, 0)),
    "in sagittal slices": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
}
TILT = np.radians(20)


@dataclass(frozen=True)
class OddSeries:
    """Its files, and what is seen of it: a volume from above in the middle, or slices one by one and why."""

    title: str
    files: list[bytes]
    grey: NDArray[np.uint8]
    count: int
    notice: str = ""


class OddHead:
    """One head; its series differ in how they were written."""

    def __init__(self, person: InventedPatient, folder: Path) -> None:
        grid = Grid.centred(SHAPE, VOXEL_MM)
        self.hu = scan(person, grid, 3).hu
        visit = Visit(person, TAKEN_ON, f"odd:{generate_uid()}")
        folder.mkdir()
        for index, frame in enumerate(self.hu):
            write_slice(folder, visit, grid, index, frame)
        self._plain = [path.read_bytes() for path in sorted(folder.iterdir())]

    @property
    def from_above(self) -> NDArray[np.uint8]:
        """The middle slice, as the viewer begins."""
        return windowed(self.hu[SHAPE[0] // 2], CENTER, WIDTH)

    def written(self, way: str) -> OddSeries:
        """The same voxels in slices that another scanner would have made."""
        directions = np.array(WAYS[way], float)
        axes = [2 - int(np.abs(one).argmax()) for one in directions]
        flips = tuple(slice(None, None, -1 if one.sum() < 0 else 1) for one in directions)
        start = np.zeros(3)
        for axis, one in zip(axes, directions, strict=True):
            if one.sum() < 0:
                start[2 - axis] = (SHAPE[axis] - 1) * VOXEL_MM
        slices = self.hu.transpose(axes)[flips]
        return self._volume(way, slices, directions, start)

    def oblique(self) -> OddSeries:
        """Parallel slices that lie slanted in the patient: a volume, shown as it was recorded."""
        turn = np.array([[1, 0, 0], [0, np.cos(TILT), np.sin(TILT)], [0, -np.sin(TILT), np.cos(TILT)]])
        directions = np.array(WAYS["head first"], float) @ turn
        return self._volume("oblique", self.hu, directions, np.zeros(3))

    def _volume(
        self,
        title: str,
        slices: NDArray[np.int16],
        directions: NDArray[np.float64],
        start: NDArray[np.float64],
    ) -> OddSeries:
        def change(ds: Dataset, index: int) -> None:
            ds.InstanceNumber = index + 1
            ds.ImageOrientationPatient = [round(float(one), 9) for one in (*directions[2], *directions[1])]
            ds.ImagePositionPatient = [
                round(float(one), 6) for one in start + directions[0] * VOXEL_MM * index
            ]
            ds.Rows, ds.Columns = slices[index].shape
            stored = (slices[index] - float(ds.RescaleIntercept)) / float(ds.RescaleSlope)
            ds.PixelData = np.rint(stored).astype("<i2" if ds.PixelRepresentation else "<u2").tobytes()

        files = self._series(title, [0] * len(slices), change)
        return OddSeries(title, files, self.from_above, SHAPE[0])

    def faulty(self, fault: str) -> OddSeries:
        """Geometry that can't be trusted: each slice is shown as it is, with the reason."""
        places = list(range(SHAPE[0]))
        if fault == "missing":
            del places[4:6]
        if fault == "duplicate":
            places.insert(5, 4)
        shift: Callable[[int], tuple[float, float]] = {  # mm to the back, to the head
            "tilted": lambda place: (0.45 * place, 0.0),
            "uneven": lambda place: (0.0, 0.9 if place == 7 else 0.0),
        }.get(fault, lambda _: (0.0, 0.0))

        def change(ds: Dataset, index: int) -> None:
            back, head = shift(places[index])
            x, y, z = ds.ImagePositionPatient
            ds.ImagePositionPatient = [x, y + back, z + head]

        files = self._series(fault, places, change)
        middle = self.hu[places[len(places) // 2]]
        return OddSeries(fault, files, windowed(middle, CENTER, WIDTH), len(places), SENTENCES[fault])

    def _series(self, title: str, places: list[int], change: Callable[[Dataset, int], None]) -> list[bytes]:
        uid, files = generate_uid(), []
        for index, place in enumerate(places):
            ds = pydicom.dcmread(io.BytesIO(self._plain[place]))
            ds.SeriesInstanceUID, ds.SeriesDescription = uid, title
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            change(ds, index)
            files.append(_bytes_of(ds))
        return files


def as_if_of(person: InventedPatient, data: bytes, *, study_uid: str, title: str) -> bytes:
    """A foreign file with this person's name, in one study with the others; its picture stays as it was."""
    ds = pydicom.dcmread(io.BytesIO(data), force=True)
    ds.PatientName = f"{person.family_name}^{person.given_name}"
    ds.PatientBirthDate = f"{person.birthdate:%Y%m%d}"
    ds.PatientID = person.chart_number
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = study_uid, generate_uid(), generate_uid()
    ds.SeriesDescription = title
    if "TransferSyntaxUID" not in ds.file_meta:
        ds.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    return _bytes_of(ds)


def _bytes_of(ds: Dataset) -> bytes:
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()
