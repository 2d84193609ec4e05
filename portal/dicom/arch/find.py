"""The dental arch of a volume: seven control points, or None where no good arch was found.

An arch that isn't there must never be shown, so the verdict is strict: enough of the curve on teeth, with clear
valleys on both sides, and of the size of a mouth. A field of view with a few teeth only has no arch here.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from portal.dicom.arch.curve import lengths
from portal.dicom.arch.evidence import Array, hard_tissue
from portal.dicom.arch.occlusal import OcclusalPlane, Vectors, occlusal_planes
from portal.dicom.arch.ridge import EVERY_MM, Ridge, follow_ridge
from portal.dicom.arch.sample import sample
from portal.dicom.arch.template import lay_template

METHOD: Final = 1
CONTROL_POINTS: Final = 7
CANDIDATES: Final = 3
MAP_MM: Final = 1.0
HALF_SLAB_MM: Final = 7
BEYOND_MM: Final = 10.0
"""The curve runs on behind the last tooth, so that all of it is in the picture."""
SEARCH_MM: Final = 24.0

# The verdict. Sixteen teeth are some 110 to 130 mm long; a child's or a short row 70. Measured on the invented heads,
# on a real head CT that has its upper teeth, and on head CTs without.
LEAST_MM, MOST_MM = 60.0, 160.0
ON_TEETH: Final = 0.3
LEAST_COVERED: Final = 0.8
LEAST_CONTRAST: Final = 0.5
LEAST_ABOVE: Final = 0.15
"""How much brighter than cheek and tongue. A jaw without teeth reaches 0.11."""
LEAST_WIDE_MM, MOST_WIDE_MM = 32.0, 78.0
LEAST_DEEP: Final = 0.6
MOST_TURN: Final = 0.35


def find_arch(volume: np.ndarray, spacing: tuple[float, float, float]) -> Vectors | None:
    """Seven points (7, 3) in mm, from the patient's right to the left, or None.

    `volume` has axes (to the head, to the back, to the left), brighter is denser, voxels of some 1 mm;
    `spacing` is (z, y, x) in mm.
    """
    xyz = np.array(spacing[::-1])
    evidence = hard_tissue(volume, float(xyz.prod()))
    best: tuple[float, Vectors] | None = None
    for plane in occlusal_planes(evidence, xyz, CANDIDATES):
        teeth, corner = map_of_teeth(evidence, xyz, plane)
        laid = lay_template(teeth, MAP_MM)
        ridge = _whole_row(teeth, follow_ridge(teeth, MAP_MM, laid.points))
        if not is_row_of_teeth(ridge):  # of noise a point or two are left, which have no ends to go on from
            continue
        control = _control_points(ridge)
        if has_shape_of_arch(control) and laid.score > (best[0] if best else 0.0):
            best = laid.score, plane.place(*(control + corner).T)
    return best[1] if best else None


def map_of_teeth(evidence: Array, xyz: Vectors, plane: OcclusalPlane) -> tuple[Array, Vectors]:
    """The slab around a plane seen along its normal, 1 mm a pixel, and the plane coordinates of its corner."""
    half = (np.array(evidence.shape[:0:-1]) * xyz[:2] / 2).astype(np.intp)
    across, behind = np.meshgrid(np.arange(-half[0], half[0] + 1.0), np.arange(-half[1], half[1] + 1.0))
    total = np.zeros(across.shape, np.float32)
    for above in range(-HALF_SLAB_MM, HALF_SLAB_MM + 1):
        values, inside = sample(evidence, plane.place(across, behind, np.full(across.shape, above)) / xyz)
        total += values * inside
    total /= 2 * HALF_SLAB_MM + 1
    return total, -half.astype(np.float64)


def is_row_of_teeth(ridge: Ridge) -> bool:
    """The verdict: bright enough, on teeth nearly everywhere, dark beside them, and as long as a row of teeth."""
    bright = float(np.percentile(ridge.on, 80))
    if not LEAST_MM <= len(ridge.points) * EVERY_MM <= MOST_MM:
        return False
    covered = float((ridge.on > ON_TEETH * bright).mean())
    above = float(ridge.on.mean() - ridge.beside.mean())
    return covered >= LEAST_COVERED and above >= max(LEAST_ABOVE, LEAST_CONTRAST * bright)


def has_shape_of_arch(control: Vectors) -> bool:
    """Open to the back, of a mouth's width and depth, and not turned to a side: a piece of skull is none of it."""
    first, front, last = control[0], control[CONTROL_POINTS // 2], control[-1]
    width, depth = last[0] - first[0], (first[1] + last[1]) / 2 - front[1]
    is_turned = abs(first[1] - last[1]) > MOST_TURN * width or not first[0] < front[0] < last[0]
    return bool(LEAST_WIDE_MM <= width <= MOST_WIDE_MM and depth >= LEAST_DEEP * width and not is_turned)


def _whole_row(teeth: Array, ridge: Ridge) -> Ridge:
    """The ridge followed to the last tooth on both sides: a textbook's arch ends too early in many mouths."""
    longer = follow_ridge(teeth, MAP_MM, _extended(ridge.points, SEARCH_MM))
    is_tooth = np.flatnonzero(longer.on > ON_TEETH * np.percentile(ridge.on, 80))
    if not len(is_tooth):
        return ridge
    row = slice(is_tooth[0], is_tooth[-1] + 1)
    return Ridge(longer.points[row], longer.on[row], longer.beside[row])


def _control_points(ridge: Ridge) -> Vectors:
    points = _extended(ridge.points, BEYOND_MM)
    even = np.linspace(0, lengths(points)[-1], CONTROL_POINTS)
    return np.stack([np.interp(even, lengths(points), axis) for axis in points.T], axis=1)


def _extended(points: Vectors, by_mm: float) -> Vectors:
    """Both ends run on straight."""
    steps = np.arange(1, by_mm / EVERY_MM + 1)[:, None]
    first, last = (points[0] - points[3]) / 3, (points[-1] - points[-4]) / 3
    return np.concatenate([(points[0] + steps * first)[::-1], points, points[-1] + steps * last])
