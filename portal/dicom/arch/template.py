"""The arch of a textbook, laid where it covers most teeth and least of what lies beside them.

Source: Braun, Hnat, Fender, Legan, "The form of the human dental arch", Angle Orthodontist 68 (1998) 29-36: a beta
function of the width and depth of the arch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from portal.dicom.arch.evidence import Array
from portal.dicom.arch.occlusal import Vectors

WIDTHS_MM: Final = (40.0, 46.0, 52.0, 58.0, 64.0)
DEPTHS_MM: Final = (36.0, 44.0, 52.0, 60.0)
TURNS_DEG: Final = (-10.0, 0.0, 10.0)
BESIDE_MM: Final = 9.0
"""Half the width of a molar and a little: here cheek and tongue begin."""
POINTS: Final = 61


@dataclass(frozen=True, eq=False)
class Laid:
    """A template in place: its points (n, 2) in mm on the map, right molar first, and how well it lies."""

    points: Vectors
    score: float


def lay_template(teeth: Array, px_mm: float) -> Laid:
    """The best template on a map of teeth (rows to the back, columns to the left)."""
    seen = np.fft.rfft2(teeth, _padded(teeth))
    laid = [_laid(curve, seen, teeth, px_mm) for curve in _templates()]
    return max(laid, key=lambda one: one.score)


def _padded(teeth: Array) -> tuple[int, int]:
    rows, columns = teeth.shape
    return 2 * rows, 2 * columns


def _templates() -> Iterator[Vectors]:
    for width, depth, turn in product(WIDTHS_MM, DEPTHS_MM, np.radians(TURNS_DEG)):
        x, y = _beta_curve(width, depth)
        yield np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], axis=1)


def _beta_curve(width: float, depth: float) -> tuple[Vectors, Vectors]:
    """Evenly spaced points, from the right end over the incisors (y = 0) to the left end (y = depth)."""
    across = np.sin(np.linspace(-np.pi / 2, np.pi / 2, 400)) / 2
    behind = depth * (1 - (4 * (0.25 - across**2)) ** 0.8)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(width * np.diff(across), np.diff(behind)))])
    even = np.linspace(0, along[-1], POINTS)
    return np.interp(even, along, width * across), np.interp(even, along, behind)


def _laid(curve: Vectors, seen: np.ndarray, teeth: Array, px_mm: float) -> Laid:
    """`curve` at its best place: the correlation of the map with a ridge along it, flanked by valleys."""
    tangent = np.gradient(curve, axis=0)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1) / np.hypot(*tangent.T)[:, None]
    kernel = np.zeros(_padded(teeth), np.float32)
    for offset, weight in ((0.0, 1.0), (BESIDE_MM, -0.5), (-BESIDE_MM, -0.5)):
        columns, rows = np.rint((curve + offset * normal) / px_mm).astype(np.intp).T
        np.add.at(kernel, (rows % kernel.shape[0], columns % kernel.shape[1]), weight / len(curve))
    matches = np.fft.irfft2(seen * np.conj(np.fft.rfft2(kernel)), kernel.shape)
    row, column = np.unravel_index(int(matches[: teeth.shape[0], : teeth.shape[1]].argmax()), teeth.shape)
    return Laid(curve + np.array([column, row]) * px_mm, float(matches[row, column]))
