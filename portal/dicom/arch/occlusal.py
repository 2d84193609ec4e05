"""The plane in which the upper and lower teeth meet: hard tissue is nowhere else so much in so thin a slab."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from portal.dicom.arch.evidence import Array

Vectors = NDArray[np.float64]

TILTS_DEG: Final = np.arange(-20.0, 21.0, 5.0)
SLAB_MM: Final = 14
APART_MM: Final = 10
"""Two candidates are further apart than this, or they are the same plane."""
LEVEL_BONUS: Final = 0.5
"""Heads are held nearly level: where teeth are missing, the share of hard tissue alone would lean to those left."""
MOST_POINTS: Final = 12_000


@dataclass(frozen=True, eq=False)
class OcclusalPlane:
    """A plane in millimetres: a point, and unit vectors nearly to the left, to the back and to the head."""

    middle: Vectors
    left: Vectors
    back: Vectors
    up: Vectors

    def place(self, across: np.ndarray, behind: np.ndarray, above: np.ndarray | float = 0.0) -> Vectors:
        """Positions (…, 3) of plane coordinates."""
        parts = [np.asarray(part)[..., None] for part in (across, behind, above)]
        where: Vectors = self.middle + parts[0] * self.left + parts[1] * self.back + parts[2] * self.up
        return where


def occlusal_planes(evidence: Array, spacing: Vectors, count: int) -> list[OcclusalPlane]:
    """The likeliest planes, best first. `spacing` is (x, y, z) in mm."""
    points, weights = _hard_points(evidence, spacing)
    if not len(points):
        return []
    middle = (np.array(evidence.shape[::-1]) - 1) * spacing / 2
    found = [
        (share - LEVEL_BONUS * (1 - directions[2][2] ** 2), height, directions)
        for directions in _tilted()
        for share, height in _peaks((points - middle) @ directions[2], weights)
    ]
    found.sort(key=lambda one: -one[0])
    planes: list[OcclusalPlane] = []
    for _, height, directions in found:
        centre = middle + height * directions[2]
        if all(abs((centre - other.middle)[2]) > APART_MM for other in planes):
            planes.append(OcclusalPlane(centre, *directions))
        if len(planes) == count:
            break
    return planes


def _hard_points(evidence: Array, spacing: Vectors) -> tuple[Vectors, Array]:
    places = np.argwhere(evidence > 0.5)
    places = places[:: max(1, len(places) // MOST_POINTS)]
    return places[:, ::-1] * spacing, evidence[tuple(places.T)]


def _tilted() -> Iterator[tuple[Vectors, Vectors, Vectors]]:
    """Left, back and up of a head that nods and leans."""
    for nod in np.radians(TILTS_DEG):
        for lean in np.radians(TILTS_DEG):
            left = np.array([np.cos(lean), 0.0, np.sin(lean)])
            back = np.array([-np.sin(lean) * np.sin(nod), np.cos(nod), np.cos(lean) * np.sin(nod)])
            yield left, back, np.cross(left, back)


def _peaks(heights: Vectors, weights: Array) -> Iterator[tuple[float, float]]:
    """(share of all hard tissue, height) of the best slab and of the best one well away from it."""
    lowest = float(heights.min())
    column = np.bincount((heights - lowest).astype(np.intp), weights)
    slabs = np.convolve(column, np.ones(SLAB_MM), "same") / column.sum()
    for _ in range(2):
        best = int(slabs.argmax())
        yield float(slabs[best]), lowest + best + 0.5
        slabs[max(0, best - 2 * SLAB_MM) : best + 2 * SLAB_MM] = 0
