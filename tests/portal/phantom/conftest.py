"""One small scan of the first patient, shared by the tests that look into it."""

from __future__ import annotations

import numpy as np
import pytest

from portal.phantom.people import INVENTED
from portal.phantom.volume import Grid, Volume, scan


class Look:
    """Reads a volume at positions in the patient, in mm LPS."""

    def __init__(self, volume: Volume) -> None:
        self.volume = volume

    def at(self, x: float, y: float, z: float) -> float:
        """HU of the nearest voxel."""
        grid = self.volume.grid
        index = [
            round((value - start) / grid.voxel_mm)
            for value, start in zip((x, y, z), grid.origin, strict=True)
        ]
        return float(self.volume.hu[index[2], index[1], index[0]])

    def brighter_than(self, hu: float, z: tuple[float, float]) -> np.ndarray:
        """Positions (n, 3) in mm of the voxels brighter than `hu` between two heights."""
        grid = self.volume.grid
        found = np.argwhere(self.volume.hu > hu)[:, ::-1] * grid.voxel_mm + grid.origin
        return found[(found[:, 2] > z[0]) & (found[:, 2] < z[1])]


@pytest.fixture(scope="session")
def maria() -> Look:
    return Look(scan(INVENTED[0], Grid.centred((125, 166, 166), 0.6), seed=1))
