"""The dental arch of a cone-beam CT as the viewer gets it, and the panoramic picture drawn along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from portal.dicom.arch.find import METHOD, find_arch
from portal.dicom.arch.panorama import Sheet, heights_of, panorama, sheet_along
from portal.dicom.display import DisplaySpec
from portal.records.ingest.patient_axes import Turned

SEARCH_VOXEL_MM: Final = 0.75
"""Teeth are found in voxels of this size or a little more; finer ones only cost time."""
THICKNESS_MM: Final = 10.0
WIDEST: Final = 768


@dataclass(frozen=True, eq=False)
class Arch:
    """Seven control points (7, 3), from the patient's right to the left: in mm of the turned copy."""

    control: np.ndarray
    turned: Turned

    @property
    def document(self) -> dict[str, Any]:
        """What the viewer's manifest says of it: points in mm, in patient coordinates (LPS)."""
        points = np.round(self.turned.in_patient(self.control), 2)
        return {"points": points.tolist(), "method": METHOD}


def arch_of(turned: Turned, modality: str, spec: DisplaySpec) -> Arch | None:
    """The arch of a volume, or None: not a CT, not placed in the patient, or no good arch in it."""
    if modality != "CT" or spec.samples_per_pixel != 1 or turned.axes is None or turned.corner is None:
        return None
    volume, spacing, shift = turned.volume, np.array(turned.spacing), np.zeros(3)
    while spacing.min() < SEARCH_VOXEL_MM and min(volume.shape) >= 64:
        volume, shift, spacing = _halved(volume), shift + spacing / 2, spacing * 2
    control = find_arch(volume, (spacing[0], spacing[1], spacing[2]))
    return None if control is None else Arch(control + shift[::-1], turned)


def unrolled(arch: Arch) -> tuple[np.ndarray, tuple[float, float]]:
    """The panoramic picture as stored samples, and its spacing (rows, columns) in mm.

    Right is left of the picture, as always; outside of the volume it is as dark as the darkest sample.
    """
    turned = arch.turned
    xyz = np.array(turned.spacing[::-1])
    length = _length(arch)
    columns = min(WIDEST, round(length / xyz.min()))
    sheet = sheet_along(arch.control, columns)
    step = length / columns
    heights = heights_of(turned.volume, xyz, sheet, step)
    values, inside = panorama(turned.volume, xyz, sheet, heights, thickness_mm=THICKNESS_MM)
    rows = inside.mean(axis=1) > 0.5
    return np.where(inside, values, turned.volume.min())[rows], (step, step)


def _length(arch: Arch) -> float:
    fine: Sheet = sheet_along(arch.control, 512)
    return float(np.linalg.norm(np.diff(fine.points, axis=0), axis=1).sum() * 512 / 511)


def _halved(volume: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 x 2; an odd last one is left out."""
    depth, rows, columns = (size // 2 for size in volume.shape)
    eights = volume[: 2 * depth, : 2 * rows, : 2 * columns].reshape(depth, 2, rows, 2, columns, 2)
    mean: np.ndarray = eights.mean(axis=(1, 3, 5), dtype=np.float32)
    return mean
