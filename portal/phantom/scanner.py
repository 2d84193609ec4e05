"""What a cone-beam scanner adds to the truth: blur, metal streaks, cupping, rings, noise, a round field."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from portal.phantom.restoration import Metal
from portal.phantom.section import AIR, METAL, Plane
from portal.phantom.shapes import Array, blur, ramp

NOISE_HU = 62.0  # in a voxel of 0.25 mm; larger voxels average it away
RING_HU, RING_MM = 6.0, 0.7
CUPPING_HU = 60.0
BRIGHTEST = 9000.0
# Standard deviation of white noise after `blur`; dividing by it restores the amplitude.
BLURRED_SIGMA = 0.375


class Scanner:
    """The same scanner for all sections of a volume; the same noise for the same seed and section."""

    def __init__(
        self, plane: Plane, random: np.random.RandomState, *, field_radius_mm: float, seed: int
    ) -> None:
        self._plane, self._seed = plane, seed
        self._radius = np.hypot(plane.x, plane.y)
        self._field = ramp(self._radius - (field_radius_mm - 0.6), plane.pitch_mm)
        places = np.arange(0, 200, RING_MM)
        self._rings = np.interp(self._radius, places, random.normal(0, RING_HU, len(places)))
        self._waves = list(zip(random.randint(3, 46, 26), random.uniform(0, 2 * math.pi, 26),
                               random.uniform(0.35, 1.0, 26), strict=True))  # fmt: skip

    def expose(self, hu: Array, index: int, metals: list[Metal]) -> Array:
        """The section number `index` as the scanner would show it, in HU from -1000 to 7000."""
        seen = blur(np.minimum(hu, BRIGHTEST))
        for number, metal in enumerate(metals):
            seen += self._streaks(metal, 1.7 * number)
        for first, second in combinations(metals, 2):
            seen -= self._shadow(first, second)
        seen -= CUPPING_HU * (self._radius / 50.0) ** 2 * (seen > -700)
        seen += self._rings * (0.6 + 0.4 * math.sin(0.05 * index)) + self._noise(index)
        seen = np.clip(seen, AIR, METAL)
        return np.asarray(AIR + self._field * (seen - AIR))

    def _noise(self, index: int) -> Array:
        random = np.random.RandomState((self._seed * 1_000_003 + index * 7919 + 12345) % 2**32)
        noise = blur(random.standard_normal(self._radius.shape)) / BLURRED_SIGMA
        sigma = NOISE_HU * math.sqrt(0.25 / max(self._plane.pitch_mm, 0.2))
        return np.asarray(noise * sigma * (0.75 + 0.5 * np.exp(-((self._radius / 34.0) ** 2))))

    def _streaks(self, metal: Metal, turn: float) -> Array:
        """Fine rays around metal, from a sum of angular waves that fades with the distance."""
        dx, dy = self._plane.x - metal.x, self._plane.y - metal.y
        distance, angle = np.hypot(dx, dy) + 0.3, np.arctan2(dy, dx)
        rays = np.zeros_like(angle)
        for count, phase, amplitude in self._waves:
            rays += amplitude * np.cos(count * angle + phase + turn)
        reach = np.exp(-distance / 26.0) / (1 + distance / (6 * metal.radius))
        return np.asarray(metal.strength * 77.0 * rays * reach * np.clip(distance - metal.radius, 0, 2) / 2)

    def _shadow(self, first: Metal, second: Metal) -> Array:
        """The dark band between two pieces of metal."""
        lx, ly = second.x - first.x, second.y - first.y
        length = math.hypot(lx, ly)
        if length < 1:  # the same piece
            return np.zeros_like(self._radius)
        dx, dy = self._plane.x - first.x, self._plane.y - first.y
        share = (dx * lx + dy * ly) / length**2
        across = np.abs(dx * ly - dy * lx) / length
        band = np.exp(-((across / (0.7 * (first.radius + second.radius))) ** 2))
        band *= np.clip(8 * np.minimum(share, 1 - share) + 0.25, 0, 1)
        for metal in (first, second):
            outside = np.hypot(self._plane.x - metal.x, self._plane.y - metal.y) - metal.radius
            band *= np.clip(outside, 0, 1)
        return np.asarray(160.0 * min(first.strength, second.strength) * band)
