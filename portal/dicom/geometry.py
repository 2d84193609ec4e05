"""Slices to a volume, or to a stack where their geometry isn't sound.

Geometry is trusted only where it is sound: a volume's slices lie parallel, evenly, straight above each other,
once each. Anything else is shown slice by slice, with a sentence that says why.

Source: DICOM PS3.3 C.7.6.2.1.1 (position and orientation), C.7.6.16.2.3-4 for multi-frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from portal.dicom.headers import Plane, Vector
from portal.dicom.pyramid import Kind

FEWEST_SLICES: Final = 3
PARALLEL: Final = 1e-4
"""Directions may differ by this in each component: scanners print six digits or fewer."""
EVEN_SHARE: Final = 0.01
EVEN_MM: Final = 0.01
SAME_PLACE_MM: Final = 0.001
STRAIGHT_PIXELS: Final = 0.5
UNKNOWN_THICKNESS_MM: Final = 1.0
UNKNOWN_PIXEL_MM: Final = 1.0

NOT_TO_SCALE: Final = "The ruler is not to scale."
SENTENCES: Final = {
    "unplaced": "The slices don't say where they lie, so they are shown one by one.",
    "turned": "The slices don't lie parallel, so they are shown one by one.",
    "sizes": "The slices have different pixel sizes, so they are shown one by one.",
    "duplicate": "Some slices lie at the same place, so they are shown one by one.",
    "missing": "Slices are missing, so they are shown one by one.",
    "uneven": "The slices don't lie evenly, so they are shown one by one.",
    "tilted": "The scanner was tilted, so the slices are shown one by one.",
}
IN_COLOUR: Final = "The slices are in colour, so they are shown one by one."


@dataclass(frozen=True)
class Arrangement:
    """How the frames of a series are shown.

    `order[k]` is the input index of frame k. `spacing_mm` is (z, y, x); z is the distance of slices in a volume,
    their thickness elsewhere. `directions` are (row, column, stacking) unit vectors in LPS: the stacking direction
    is the normal that points to the head, back or left, and frames of a volume grow along it. `position_mm` is the
    centre of a volume's first pixel in the patient (LPS).
    """

    kind: Kind
    order: tuple[int, ...]
    spacing_mm: Vector | None
    spacing_calibrated: bool
    directions: tuple[Vector, Vector, Vector] | None
    notices: tuple[str, ...]
    position_mm: Vector | None = None


def arrange(
    planes: Sequence[Plane], numbers: Sequence[int | None] | None = None, *, is_colour: bool = False
) -> Arrangement:
    """Order the frames of one series and say what may be trusted.

    `planes`: one a frame, in any order. `numbers`: instance numbers, which order frames that have no place.
    Colour is no measure of anything, so nothing is cut across slices of it.
    """
    if len(planes) == 1:
        return _flat("image", planes, (0,), ())
    fault = _first_fault(planes)
    if fault:
        return _flat("stack", planes, _best_order(planes, numbers), (SENTENCES[fault],))
    order = _along_normal(planes)
    if len(planes) < FEWEST_SLICES:
        return _flat("stack", planes, order, ())
    heights = _heights(planes)[list(order)]
    fault = _spacing_fault(np.diff(heights)) or _straightness_fault(planes)
    if fault:
        return _flat("stack", planes, order, (SENTENCES[fault],))
    if is_colour:
        return _flat("stack", planes, order, (IN_COLOUR,))
    first = planes[order[0]]
    step = float(heights[-1] - heights[0]) / (len(planes) - 1)
    notices = () if first.is_calibrated else (NOT_TO_SCALE,)
    spacing, directions = _spacing(first, step), _directions(first)
    return Arrangement(
        "volume", order, spacing, first.is_calibrated, directions, notices, position_mm=first.position_mm
    )


def _first_fault(planes: Sequence[Plane]) -> str:
    """What keeps the planes from having a common normal, or ""."""
    first = planes[0]
    if not _are_placed(planes):
        return "unplaced"
    if not _are_parallel(planes):
        return "turned"
    if first.spacing_mm is None or any(plane.spacing_mm != first.spacing_mm for plane in planes):
        return "sizes"
    return ""


def _are_placed(planes: Sequence[Plane]) -> bool:
    return all(plane.position_mm is not None and plane.row_direction is not None for plane in planes)


def _are_parallel(planes: Sequence[Plane]) -> bool:
    turned = np.array([(plane.row_direction, plane.column_direction) for plane in planes], np.float64)
    return bool(np.abs(turned - turned[0]).max() < PARALLEL)


def _spacing_fault(steps: np.ndarray) -> str:
    middle = float(np.median(steps))
    if float(steps.min()) < SAME_PLACE_MM:
        return "duplicate"
    if np.abs(steps - middle).max() <= max(EVEN_SHARE * middle, EVEN_MM):
        return ""
    multiples = np.rint(steps / middle)
    is_gap = multiples.min() >= 1 and np.abs(steps - multiples * middle).max() <= max(
        EVEN_SHARE * middle, EVEN_MM
    )
    return "missing" if is_gap else "uneven"


def _straightness_fault(planes: Sequence[Plane]) -> str:
    """Tilted gantry: slices parallel, but each one shifted sideways, so that their stack is a sheared box."""
    positions = _positions(planes)
    normal = _normal(planes[0])
    offsets = positions - positions[0]
    sideways = offsets - np.outer(offsets @ normal, normal)
    pixel_mm = min(planes[0].spacing_mm or (UNKNOWN_PIXEL_MM,))
    return "tilted" if np.linalg.norm(sideways, axis=1).max() > STRAIGHT_PIXELS * pixel_mm else ""


def _best_order(planes: Sequence[Plane], numbers: Sequence[int | None] | None) -> tuple[int, ...]:
    """By place if all lie parallel, else by instance number, else as given."""
    if _are_placed(planes) and _are_parallel(planes):
        return _along_normal(planes)
    if numbers is None:
        return tuple(range(len(planes)))
    last = max((number for number in numbers if number is not None), default=0) + 1
    known = [last if number is None else number for number in numbers]
    return tuple(sorted(range(len(planes)), key=known.__getitem__))


def _along_normal(planes: Sequence[Plane]) -> tuple[int, ...]:
    return tuple(int(index) for index in np.argsort(_heights(planes), kind="stable"))


def _heights(planes: Sequence[Plane]) -> np.ndarray:
    """How far along the normal each plane lies, in mm."""
    heights: np.ndarray = _positions(planes) @ _normal(planes[0])
    return heights


def _positions(planes: Sequence[Plane]) -> np.ndarray:
    return np.array([plane.position_mm for plane in planes], np.float64)


def _normal(plane: Plane) -> np.ndarray:
    """The unit normal, turned to point along its largest axis: to the head, the back or the left."""
    normal = np.cross(np.array(plane.row_direction), np.array(plane.column_direction))
    normal /= np.linalg.norm(normal)
    return normal if normal[np.abs(normal).argmax()] > 0 else -normal


def _directions(plane: Plane) -> tuple[Vector, Vector, Vector] | None:
    if plane.row_direction is None or plane.column_direction is None:
        return None
    x, y, z = (float(part) for part in _normal(plane))
    return plane.row_direction, plane.column_direction, (x, y, z)


def _spacing(plane: Plane, step_mm: float) -> Vector | None:
    return None if plane.spacing_mm is None else (step_mm, *plane.spacing_mm)


def _flat(
    kind: Kind, planes: Sequence[Plane], order: tuple[int, ...], notices: tuple[str, ...]
) -> Arrangement:
    """A picture or a stack: measured within a frame only, and only where all frames agree."""
    first = planes[0]
    agree = all(plane.spacing_mm == first.spacing_mm for plane in planes)
    spacing = _spacing(first, first.thickness_mm or UNKNOWN_THICKNESS_MM) if agree else None
    is_calibrated = spacing is not None and all(plane.is_calibrated for plane in planes)
    if not is_calibrated:
        notices = (*notices, NOT_TO_SCALE)
    has_directions = first.row_direction is not None and (len(planes) == 1 or _all_turned_alike(planes))
    directions = _directions(first) if has_directions else None
    return Arrangement(kind, order, spacing, is_calibrated, directions, notices)


def _all_turned_alike(planes: Sequence[Plane]) -> bool:
    return all(plane.row_direction is not None for plane in planes) and _are_parallel(planes)
