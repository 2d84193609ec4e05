"""The middle of the row of teeth near a first guess: the brightest smooth path through a band around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from portal.dicom.arch.curve import resample
from portal.dicom.arch.evidence import Array
from portal.dicom.arch.occlusal import Vectors
from portal.dicom.arch.sample import sample

REACH_MM: Final = 10.0
STEP_MM: Final = 0.5
BEND_COST: Final = 0.35
"""What a path pays for each squared step sideways; teeth are worth 0 to 1 a step."""
SMOOTH_OVER_MM: Final = 12.0
ROUNDS: Final = 3
EVERY_MM: Final = 2.0


@dataclass(frozen=True, eq=False)
class Ridge:
    """Points (n, 2) in mm, `EVERY_MM` apart, and how much tooth lies on and well beside each."""

    points: Vectors
    on: Array
    beside: Array


def follow_ridge(teeth: Array, px_mm: float, guess: Vectors) -> Ridge:
    """Pull `guess` (n, 2) into the middle of the teeth of a map."""
    broad = smooth(smooth(teeth, 2.5 / px_mm, 0), 2.5 / px_mm, 1)
    points = resample(guess, EVERY_MM)
    for _ in range(ROUNDS):
        offsets, across = _band(broad, px_mm, points)
        moved = points + normals(points) * offsets[_best_path(across)][:, None]
        points = resample(_smoothed(moved), EVERY_MM)
    offsets, across = _band(broad, px_mm, points)
    on = across[:, np.abs(offsets) <= 1.0].mean(axis=1)
    beside = across[:, np.abs(offsets) >= 8.5].mean(axis=1)
    return Ridge(points, on, beside)


def normals(points: Vectors) -> Vectors:
    """Unit vectors (n, 2) that point out of the mouth, for points from right to left."""
    tangent = np.gradient(points, axis=0)
    tangent /= np.hypot(*tangent.T)[:, None]
    return np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)


def smooth(values: np.ndarray, sigma: float, axis: int) -> np.ndarray:
    """Blurred along one axis by a Gaussian of `sigma` samples; edges are continued."""
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    ends = [(reach, reach) if one == axis else (0, 0) for one in range(values.ndim)]
    longer = np.moveaxis(np.pad(values, ends, "edge"), axis, 0)
    count = values.shape[axis]
    blurred = sum(weight * longer[at : at + count] for at, weight in enumerate(kernel))
    return np.moveaxis(np.asarray(blurred, values.dtype), 0, axis)


def _band(teeth: Array, px_mm: float, points: Vectors) -> tuple[Vectors, Array]:
    """Offsets (m,) in mm outwards and the map's values (n, m) there; outside of the map nothing is."""
    offsets = np.arange(-REACH_MM, REACH_MM + STEP_MM / 2, STEP_MM)
    places = points[:, None] + normals(points)[:, None] * offsets[None, :, None]
    flat = np.concatenate([places / px_mm, np.zeros((*places.shape[:2], 1))], axis=2)
    values, inside = sample(teeth[None], flat)
    return offsets, values * inside


def _best_path(across: Array) -> np.ndarray:
    """The column for each row that is worth most, steps sideways paid for (dynamic programming)."""
    count = across.shape[1]
    cost = BEND_COST * (np.subtract.outer(np.arange(count), np.arange(count)) * STEP_MM) ** 2
    worth, came_from = across[0], []
    for row in across[1:]:
        options = worth[None, :] - cost
        came_from.append(options.argmax(axis=1))
        worth = options.max(axis=1) + row
    path = [int(worth.argmax())]
    for back in reversed(came_from):
        path.append(int(back[path[-1]]))
    return np.array(path[::-1])


def _smoothed(points: Vectors) -> Vectors:
    """Kinks of a tooth's size taken out; the ends are continued straight on first, or they would shrink."""
    reach = round(3 * SMOOTH_OVER_MM / 2.35 / EVERY_MM) + 1
    before = 2 * points[0] - points[reach:0:-1]
    after = 2 * points[-1] - points[-2 : -reach - 2 : -1]
    sigma = SMOOTH_OVER_MM / 2.35 / EVERY_MM
    smoothed: Vectors = smooth(np.concatenate([before, points, after]), sigma, 0)[reach:-reach]
    return smoothed
