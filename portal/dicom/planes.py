"""Where each frame lies in the patient, from a plain header or from functional groups.

Runs in the confined child. An enhanced multi-frame object states what all frames share once, and what
differs for each frame; the frame's own word wins.

Source: DICOM PS3.3 C.7.6.2 (image plane), C.7.6.16 (functional groups), 10.7 (calibration of spacing).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from pydicom.dataset import Dataset

from portal.dicom.elements import items, number, numbers
from portal.dicom.headers import Plane, Vector


def planes_of(dataset: Dataset, frames: int) -> tuple[Plane, ...]:
    """One plane a frame; all alike where the file speaks of the whole only.

    What it says of the whole is no place for each of several frames, so then they have none.
    """
    planes = tuple(_plane([*groups, dataset], frames) for groups in groups_of(dataset))
    return planes if len(planes) == frames else (_plane([*shared_groups(dataset), dataset], frames),) * frames


def shared_groups(dataset: Dataset) -> list[Dataset]:
    """The functional groups all frames share."""
    return items(dataset, "SharedFunctionalGroupsSequence")[:1]


def groups_of(dataset: Dataset) -> Iterator[list[Dataset]]:
    """For each frame, the functional groups that speak for it, its own first."""
    shared = shared_groups(dataset)
    for own in items(dataset, "PerFrameFunctionalGroupsSequence"):
        yield [own, *shared]


def in_groups(groups: list[Dataset], sequence: str) -> Dataset | None:
    """The item of `sequence` in the first group that has it."""
    for group in groups:
        found = items(group, sequence)
        if found:
            return found[0]
    return None


def _plane(groups: list[Dataset], frames: int) -> Plane:
    """The plane told by `groups`: functional groups, and last the data set itself, for one of `frames`."""
    dataset = groups[-1]
    position = in_groups(groups if frames == 1 else groups[:1], "PlanePositionSequence")
    if position is None:
        position = dataset if frames == 1 else Dataset()
    orientation = in_groups(groups, "PlaneOrientationSequence") or dataset
    measures = in_groups(groups, "PixelMeasuresSequence") or dataset
    row, column = _directions(numbers(orientation, "ImageOrientationPatient"))
    spacing, is_calibrated = _spacing(measures, dataset)
    thickness = number(measures, "SliceThickness")
    return Plane(
        position_mm=_vector(numbers(position, "ImagePositionPatient")),
        row_direction=row,
        column_direction=column,
        spacing_mm=spacing,
        is_calibrated=is_calibrated,
        thickness_mm=thickness if thickness is not None and thickness > 0 else None,
    )


def _directions(values: list[float]) -> tuple[Vector | None, Vector | None]:
    """Unit vectors at right angles, or nothing: a direction that isn't sound is no direction."""
    row, column = _vector(values[:3]), _vector(values[3:])
    if row is None or column is None:
        return None, None
    lengths = math.hypot(*row), math.hypot(*column)
    across = sum(a * b for a, b in zip(row, column, strict=True))
    is_sound = all(abs(length - 1) < 0.01 for length in lengths) and abs(across) < 0.01
    return (row, column) if is_sound else (None, None)


def _spacing(measures: Dataset, dataset: Dataset) -> tuple[tuple[float, float] | None, bool]:
    """(between rows, between columns) in mm, and whether it holds in the patient rather than at the detector."""
    in_patient = _pair(numbers(measures, "PixelSpacing"))
    at_detector = _pair(
        numbers(dataset, "ImagerPixelSpacing") or numbers(dataset, "NominalScannedPixelSpacing")
    )
    if in_patient is None:
        return at_detector, False
    # In a projection, the same value in both means that nobody corrected for magnification (10.7.1.3).
    is_projection = (
        "ImageOrientationPatient" not in dataset and "SharedFunctionalGroupsSequence" not in dataset
    )
    is_corrected = in_patient != at_detector or "PixelSpacingCalibrationType" in dataset
    return in_patient, is_corrected or not is_projection


def _pair(values: list[float]) -> tuple[float, float] | None:
    return (values[0], values[1]) if len(values) == 2 and min(values) > 0 else None


def _vector(values: list[float]) -> Vector | None:
    return (values[0], values[1], values[2]) if len(values) == 3 else None
