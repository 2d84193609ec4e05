"""One axial section while it is painted, and the numbers tissues have.

Values are Hounsfield-like, as cone-beam scanners give them: in the right order, not calibrated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portal.phantom.curve import Along
from portal.phantom.shapes import Array, Lattice, Scalars, ramp

AIR, FAT, SOFT = -1000.0, -90.0, 55.0
TRABECULAR, CORTICAL = 330.0, 1450.0
DENTIN, ENAMEL, PULP, LIGAMENT = 1750.0, 2750.0, 90.0, 180.0
METAL, TITANIUM, GUTTA_PERCHA, ZIRCONIA = 7000.0, 5200.0, 3600.0, 2500.0

Where = NDArray[np.bool_]


@dataclass(frozen=True)
class Plane:
    """What all sections of a volume share: positions in mm, arch coordinates, texture.

    Every array has shape (rows, columns); rows go to the back, columns to the patient's left.
    """

    x: Array
    y: Array
    pitch_mm: float
    upper: Along
    lower: Along
    lattice: Lattice


@dataclass
class Section:
    """The section at height `z`: `hu` is the picture, `bone` how much of each voxel is bone (0..1)."""

    plane: Plane
    z: float
    hu: Array
    bone: Array

    @classmethod
    def empty(cls, plane: Plane, z: float) -> Section:
        """A section full of air."""
        return cls(plane, z, np.full(plane.x.shape, AIR), np.zeros(plane.x.shape))

    def ramp(self, distance: Scalars) -> Array:
        """Coverage of a shape given as a signed distance in mm."""
        return ramp(distance, self.plane.pitch_mm)

    def blend(self, coverage: Scalars, value: Scalars) -> None:
        """Paint `value` over the whole section, as thick as `coverage` (0..1)."""
        self.hu += coverage * (value - self.hu)

    def blend_where(self, where: Where, coverage: Scalars, value: Scalars) -> None:
        """The same on the voxels of a mask; the arguments are flat, one value a masked voxel."""
        old = self.hu[where]
        self.hu[where] = old + coverage * (value - old)

    def texture(self, where: Where, period_mm: float) -> Array:
        """Noise in [-1, 1] on the voxels of a mask."""
        return self.plane.lattice.sample(self.plane.x[where], self.plane.y[where], self.z, period_mm)

    def paint_bone(self, where: Where, distance: Array, shell_mm: Scalars) -> None:
        """Bone of a shape (flat signed distance): a cortical shell around a spongy core."""
        outer, core = self.ramp(distance), self.ramp(distance + shell_mm)
        self.blend_where(where, outer, CORTICAL)
        spongy = TRABECULAR + 260.0 * self.texture(where, 1.05) + 120.0 * self.texture(where, 0.47)
        self.blend_where(where, core, spongy)
        self.bone[where] = np.maximum(self.bone[where], outer)

    def remove_bone(self, coverage: Array) -> None:
        """Note that a cavity has taken the place of bone."""
        self.bone *= 1.0 - coverage
