"""A small copy of a volume turned so that its axes are the patient's, and where it lies in the patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portal.dicom.geometry import Arrangement
from portal.dicom.headers import Vector


@dataclass(frozen=True, eq=False)
class Turned:
    """`volume` (z, y, x) grows to the head, to the back and to the left, as near as whole turns bring it.

    `spacing` is (z, y, x) in mm. `axes` (3, 3): the directions of x, y and z in LPS, and `corner` (3,) the centre of
    the first voxel in mm; both are None where the series doesn't say how it lies.
    """

    volume: np.ndarray
    spacing: Vector
    axes: np.ndarray | None = None
    corner: np.ndarray | None = None

    def in_patient(self, places: np.ndarray) -> np.ndarray:
        """Positions (n, 3) in patient coordinates of places (n, 3) in mm from the first voxel along x, y, z."""
        if self.axes is None or self.corner is None:
            raise ValueError("This volume doesn't say where it lies.")
        positions: np.ndarray = self.corner + places @ self.axes
        return positions


def in_patient_axes(volume: np.ndarray, arrangement: Arrangement, level: int) -> Turned:
    """Turn a volume of pyramid level `level`, stored (frames, rows, columns)."""
    scale = float(1 << level)
    spacing = tuple(mm * scale for mm in arrangement.spacing_mm or (1.0, 1.0, 1.0))
    if arrangement.directions is None:
        return Turned(volume, _vector(spacing))
    row, column, normal = arrangement.directions
    of_axis = np.array((normal, column, row))  # what the axes of the array point to, in LPS
    wanted = [int(np.abs(of_axis[:, patient]).argmax()) for patient in (2, 1, 0)]
    if sorted(wanted) != [0, 1, 2]:
        return Turned(volume, _vector(spacing))
    signs = [-1 if of_axis[axis, patient] < 0 else 1 for axis, patient in zip(wanted, (2, 1, 0), strict=True)]
    turned = volume.transpose(wanted)[tuple(slice(None, None, sign) for sign in signs)]
    return Turned(
        turned,
        _vector([spacing[axis] for axis in wanted]),
        np.array([sign * of_axis[axis] for axis, sign in zip(wanted, signs, strict=True)])[::-1],
        _corner(arrangement, of_axis, spacing, wanted, signs, volume.shape, scale),
    )


def _corner(
    arrangement: Arrangement,
    of_axis: np.ndarray,
    spacing: tuple[float, ...],
    wanted: list[int],
    signs: list[int],
    shape: tuple[int, ...],
    scale: float,
) -> np.ndarray | None:
    """The turned volume's first voxel: of a mirrored axis it is the last as stored."""
    if arrangement.position_mm is None:
        return None
    corner = np.array(arrangement.position_mm)
    for axis, sign in zip(wanted, signs, strict=True):
        # The centre of a coarse voxel lies in the middle of those it is the mean of.
        first = (shape[axis] - 1) * spacing[axis] if sign < 0 else 0.0
        corner = corner + of_axis[axis] * (first + spacing[axis] * (1 - 1 / scale) / 2)
    return corner


def _vector(values: tuple[float, ...] | list[float]) -> Vector:
    z, y, x = values
    return z, y, x
