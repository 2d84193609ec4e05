"""The dental arch: a right-left symmetric curve, and distances along and across it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from portal.phantom.shapes import Array

# The left half of an adult upper arch through the middles of the teeth, x and y in mm.
LEFT_HALF = np.array([
    (0.0, -38.0), (8.0, -37.1), (14.6, -33.9), (19.6, -28.4), (23.1, -21.8), (26.0, -13.8), (28.5, -4.0),
    (30.6, 6.0), (33.4, 16.0), (37.4, 26.0), (41.2, 34.5), (43.4, 43.0), (44.6, 52.0),
])  # fmt: skip


class Along(NamedTuple):
    """Arch coordinates of points: `s` mm from the midline along the arch, `u` mm outward (to the cheek)."""

    s: Array
    u: Array


class Arch:
    """The arch of one jaw, sampled every `STEP_MM`. Left and right are mirror images."""

    STEP_MM = 0.4

    def __init__(self, *, width: float = 1.0, setback_mm: float = 0.0) -> None:
        points = _catmull_rom(LEFT_HALF * [width, 1.0] + [0.0, setback_mm])
        length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
        self.s: Array = np.arange(0.0, length[-1], self.STEP_MM)
        self.x: Array = np.interp(self.s, length, points[:, 0])
        self.y: Array = np.interp(self.s, length, points[:, 1])
        tx, ty = np.gradient(self.x, self.STEP_MM), np.gradient(self.y, self.STEP_MM)
        norm = np.hypot(tx, ty)
        self.tx, self.ty = tx / norm, ty / norm
        self.tx[0], self.ty[0] = 1.0, 0.0  # symmetric, so level at the midline

    def at(self, s: Array) -> tuple[Array, Array, Array, Array]:
        """x, y and the outward normal (nx, ny) at signed arc lengths; s > 0 is the patient's left."""
        distance, side = np.abs(s), np.where(s < 0, -1.0, 1.0)
        tx, ty = np.interp(distance, self.s, self.tx), np.interp(distance, self.s, self.ty)
        norm = np.hypot(tx, ty)
        x, y = np.interp(distance, self.s, self.x), np.interp(distance, self.s, self.y)
        return side * x, y, side * ty / norm, -tx / norm

    def locate(self, x: Array, y: Array) -> Along:
        """Arch coordinates of every point of a section; both sides get the same s >= 0."""
        s, u = np.empty_like(x), np.empty_like(x)
        for row in range(0, len(x), 16):  # in strips, for the distances to all samples fit in cache
            band = slice(row, row + 16)
            s[band], u[band] = self._locate(np.abs(x[band]), y[band])
        return Along(s, u)

    def _locate(self, x: Array, y: Array) -> tuple[Array, Array]:
        nearest = np.argmin((x[..., None] - self.x) ** 2 + (y[..., None] - self.y) ** 2, axis=-1)
        dx, dy = x - self.x[nearest], y - self.y[nearest]
        along = dx * self.tx[nearest] + dy * self.ty[nearest]
        inner = (nearest > 0) & (nearest < len(self.s) - 1)
        along = np.where(inner, np.clip(along, -self.STEP_MM, self.STEP_MM), along)
        along = np.where(nearest == 0, np.clip(along, 0, None), along)
        return self.s[nearest] + along, dx * self.ty[nearest] - dy * self.tx[nearest]


def _catmull_rom(points: Array, samples: int = 200) -> Array:
    """A dense smooth curve through the points; the first is mirrored so that it starts level."""
    mirrored = points[1] * [-1.0, 1.0]
    knots = np.vstack([mirrored, points, 2 * points[-1] - points[-2]])
    t = np.linspace(0, 1, samples, endpoint=False)[:, None]
    parts = [_span(knots[i : i + 4], t) for i in range(len(knots) - 3)]
    return np.vstack([*parts, points[-1:]])


def _span(knots: Array, t: Array) -> Array:
    p0, p1, p2, p3 = knots
    cubic = 3 * p1 - p0 - 3 * p2 + p3
    return np.asarray(0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + cubic * t**3))
