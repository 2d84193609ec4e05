"""A volume unrolled along its arch: one column for each step along the curve, one row for each step down.

The panorama shader (`static/js/viewer/panorama.js`) does the same on the graphics card; the tests compare the two.
Lengths along a curve aren't distances in the jaw, so nothing is measured here except from top to bottom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from portal.dicom.arch.curve import Points, catmull_rom, lengths
from portal.dicom.arch.sample import sample

How = Literal["mean", "max"]

REACH_MM: Final = 50.0
"""Above and below the biting plane; chin and sinuses lie within it."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """The curved sheet of a panorama, in mm.

    `points` (n, 3) on the curve, right end first; `outward` (n, 3) unit vectors to the cheek; `up` (3,).
    """

    points: Points
    outward: Points
    up: Points


def sheet_along(control: Points, columns: int) -> Sheet:
    """The sheet through control points (7, 3): `columns` points, the middles of equal steps along the curve."""
    up = up_of(control)
    dense = catmull_rom(control)
    along = lengths(dense)
    wanted = (np.arange(columns) + 0.5) * along[-1] / columns
    points, before, after = (_on(dense, along, wanted + shift) for shift in (0.0, -1.0, 1.0))
    outward = np.cross(after - before, up)
    return Sheet(points, outward / np.linalg.norm(outward, axis=1)[:, None], up)


def up_of(control: Points) -> Points:
    """The unit normal of the plane z = a x + b y + c nearest to the points: to the head."""
    flat = np.column_stack([control[:, :2], np.ones(len(control))])
    (a, b, _), *_ = np.linalg.lstsq(flat, control[:, 2], rcond=None)
    normal = np.array([-a, -b, 1.0])
    return normal / np.linalg.norm(normal)


def panorama(
    volume: np.ndarray, xyz: Points, sheet: Sheet, heights: Points, *, thickness_mm: float, how: How = "mean"
) -> tuple[np.ndarray, np.ndarray]:
    """Values (rows, columns) of `volume` (z, y, x) on the sheet, and which of them lie inside it.

    `xyz` is the spacing; `heights` (rows,) in mm above the curve, the first row's first. Each value is the mean or
    the largest of samples through the thickness; those outside of the volume don't count.
    """
    steps = max(1, int(np.ceil(thickness_mm / xyz.min())))
    offsets = ((np.arange(steps) + 0.5) / steps - 0.5) * thickness_mm
    middle = sheet.points[None] + heights[:, None, None] * sheet.up
    total = np.full(middle.shape[:2], -np.inf if how == "max" else 0.0, np.float32)
    count = np.zeros(middle.shape[:2], np.int32)
    for offset in offsets:
        values, inside = sample(volume, (middle + offset * sheet.outward[None]) / xyz)
        (np.maximum if how == "max" else np.add)(total, values, out=total, where=inside)
        count += inside
    is_inside = sample(volume, middle / xyz)[1] & (count > 0)
    if how == "mean":
        total /= np.maximum(count, 1)
    return np.where(is_inside, total, np.float32(0)), is_inside


def heights_of(volume: np.ndarray, xyz: Points, sheet: Sheet, step_mm: float) -> Points:
    """Heights (rows,) from the top to the bottom, `step_mm` apart, above the curve: all of a jaw, not of a skull."""
    sizes = np.array(volume.shape[::-1])
    corners = (np.array(list(np.ndindex(2, 2, 2))) * sizes - 0.5) * xyz
    levels = np.clip(corners @ sheet.up - sheet.points.mean(axis=0) @ sheet.up, -REACH_MM, REACH_MM)
    rows = max(1, int((levels.max() - levels.min()) / step_mm))
    heights: Points = levels.max() - (np.arange(rows) + 0.5) * step_mm
    return heights


def _on(dense: Points, along: Points, wanted: Points) -> Points:
    return np.stack([np.interp(wanted, along, axis) for axis in dense.T], axis=1)
