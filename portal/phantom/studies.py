"""The studies of an invented patient, as files: a cone-beam CT, a panoramic and a periapical X-ray.

All three belong to one visit, so they share a StudyInstanceUID, and are computed from one head.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from portal.phantom import dicom_writer
from portal.phantom.dicom_writer import Projection, Visit
from portal.phantom.people import InventedPatient
from portal.phantom.projection import panoramic, periapical
from portal.phantom.volume import LOWER_ARCH, UPPER_ARCH, Grid, Volume, scan, truth

TAKEN_ON = date(2025, 11, 4)
SIZE, VOXEL_MM = (150, 200, 200), 0.5

PANORAMIC_COLUMNS, PANORAMIC_HALF_LENGTH_MM = 1200, 82.0
# A size 2 sensor behind the patient's lower left premolars and molars (teeth 34 to 37).
SENSOR_S_MM, SENSOR_Z_MM, SENSOR_PIXEL_MM = (20.0, 61.0), (-28.0, 3.0), 0.05
# The box of the head, in mm, that holds all rays to that sensor, and its voxels.
SENSOR_BOX_X, SENSOR_BOX_Y, SENSOR_VOXEL_MM = (13.0, 45.0), (-33.0, 25.0), 0.25


def write_cbct(
    folder: Path,
    patient: InventedPatient,
    *,
    size: tuple[int, int, int] = SIZE,
    voxel_mm: float = VOXEL_MM,
    seed: int = 1,
    taken_on: date = TAKEN_ON,
) -> list[Path]:
    """Write a cone-beam CT, one CT image a file, lowest slice first; returns the files.

    `size` is (slices, rows, columns). Explicit VR little endian, 12 bits, HU by RescaleIntercept -1000.
    The same arguments write the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    visit = _visit(patient, seed, taken_on)
    volume = _scan(patient, size, voxel_mm, seed)
    write = dicom_writer.write_slice
    return [write(folder, visit, volume.grid, index, hu) for index, hu in enumerate(volume.hu)]


def write_panoramic(
    folder: Path,
    patient: InventedPatient,
    *,
    is_calibrated: bool = False,
    seed: int = 1,
    taken_on: date = TAKEN_ON,
) -> Path:
    """Write the panoramic X-ray `PX0001.dcm`, 1200 pixels wide, computed from the CBCT."""
    folder.mkdir(parents=True, exist_ok=True)
    volume = _scan(patient, SIZE, VOXEL_MM, seed)
    scale = patient.findings.head_scale
    adult = replace(volume, grid=volume.grid.times(1 / scale))
    grey, pixel_mm = panoramic(adult, UPPER_ARCH, PANORAMIC_COLUMNS, PANORAMIC_HALF_LENGTH_MM)
    image = Projection(grey, pixel_mm * scale, "Panoramic", ("L", "F"), "B", is_calibrated)
    return dicom_writer.write_panoramic(folder, _visit(patient, seed, taken_on), image)


def write_periapical(
    folder: Path,
    patient: InventedPatient,
    *,
    is_calibrated: bool = False,
    seed: int = 1,
    taken_on: date = TAKEN_ON,
) -> Path:
    """Write the periapical X-ray `IO0001.dcm` of teeth 34 to 37, 820 x 620, from finer voxels."""
    folder.mkdir(parents=True, exist_ok=True)
    scale = patient.findings.head_scale
    grid = _sensor_grid()
    adult = replace(truth(patient, grid.times(scale), seed), grid=grid)
    grey = periapical(adult, LOWER_ARCH, SENSOR_S_MM, SENSOR_PIXEL_MM)
    # Columns run along the arch towards the ear: mostly to the back, a little to the left.
    image = Projection(grey, SENSOR_PIXEL_MM * scale, "Periapical 34-37", ("PL", "F"), "L", is_calibrated)
    return dicom_writer.write_intraoral(folder, _visit(patient, seed, taken_on), image)


def _scan(patient: InventedPatient, size: tuple[int, int, int], voxel_mm: float, seed: int) -> Volume:
    return scan(patient, Grid.centred(size, voxel_mm, scale=patient.findings.head_scale), seed)


def _visit(patient: InventedPatient, seed: int, taken_on: date) -> Visit:
    return Visit(patient, taken_on, f"{patient.chart_number}:{seed}:{taken_on.isoformat()}")


def _sensor_grid() -> Grid:
    """The box of rays, in an adult head."""
    (z, z_end), (y, y_end), (x, x_end) = SENSOR_Z_MM, SENSOR_BOX_Y, SENSOR_BOX_X
    sections, rows, columns = (round(span / SENSOR_VOXEL_MM) for span in (z_end - z, y_end - y, x_end - x))
    return Grid((sections, rows, columns), SENSOR_VOXEL_MM, (x, y, z))
