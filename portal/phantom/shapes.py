"""Distances, soft edges and noise: the drawing tools of the phantom.

A shape is a signed distance in mm, negative inside. It becomes paint through `ramp`, which is one
inside, zero outside and falls over one voxel, so that edges are not jagged.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Scalars = Array | float


def ramp(distance: Scalars, pitch_mm: float) -> Array:
    """How much of a voxel `pitch_mm` wide lies inside a shape, 0..1."""
    return np.clip(0.5 - np.asarray(distance, dtype=np.float64) / pitch_mm, 0.0, 1.0)


def fade(value: float, low: float, high: float, over: float) -> float:
    """One between `low` and `high`, falling to zero over `over` mm outside: no hard cut in z."""
    return float(np.clip(1.0 - max(low - value, value - high, 0.0) / over, 0.0, 1.0))


def superellipse(u: Scalars, v: Scalars, a: Scalars, b: Scalars, n: float) -> Array:
    """First-order signed distance to |u/a|^n + |v/b|^n = 1: an ellipse at n = 2, boxier above.

    The value divided by the length of its gradient (Taubin 1991) is exact on the outline and
    good enough within the millimetre or two that is painted.
    """
    p, q = np.abs(u) / a, np.abs(v) / b
    radius = (p**n + q**n + 1e-12) ** (1.0 / n)
    gradient_u, gradient_v = (p / radius) ** (n - 1) / a, (q / radius) ** (n - 1) / b
    return (radius - 1.0) / np.sqrt(gradient_u**2 + gradient_v**2 + 1e-12)


def blur(image: Array) -> Array:
    """The 1-2-1 binomial filter along both axes: what the detector does to every edge."""
    padded = np.pad(image, 1, mode="edge")
    rows = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
    return 0.25 * rows[:, :-2] + 0.5 * rows[:, 1:-1] + 0.25 * rows[:, 2:]


class Lattice:
    """Smooth value noise in [-1, 1], the same for the same seed."""

    SIDE = 48
    # Keeps every coordinate positive before it is wrapped.
    OFFSET_MM = 300.0

    def __init__(self, random: np.random.RandomState) -> None:
        self._values: Array = random.uniform(-1, 1, (self.SIDE,) * 3)

    def sample(self, x: Array, y: Array, z: float, period_mm: float) -> Array:
        """Trilinear noise with one random value every `period_mm`, at points of one section."""
        column, ax = self._cell(x, period_mm)
        row, ay = self._cell(y, period_mm)
        layer, az = self._cell(np.asarray(z), period_mm)
        plane = self._values[layer] * (1 - az) + self._values[(layer + 1) % self.SIDE] * az
        below, right = (row + 1) % self.SIDE, (column + 1) % self.SIDE
        near = plane[row, column] * (1 - ax) + plane[row, right] * ax
        far = plane[below, column] * (1 - ax) + plane[below, right] * ax
        return np.asarray(near * (1 - ay) + far * ay)

    def _cell(self, position: Array, period_mm: float) -> tuple[NDArray[np.intp], Array]:
        scaled = (position + self.OFFSET_MM) / period_mm
        floor = np.floor(scaled)
        return floor.astype(np.intp) % self.SIDE, np.asarray(scaled - floor)
