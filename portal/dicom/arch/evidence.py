"""How much each voxel looks like tooth. Grey values of cone-beam scanners aren't calibrated, so volumes decide:
a mouth holds some 30 cm³ of enamel, dentin and metal, and they are the brightest there is."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

SURE_MM3: Final = 6_000.0
POSSIBLE_MM3: Final = 26_000.0
SURE_SHARE: Final = 0.02
"""In a small field of view no more than this share of it counts as surely tooth."""


def hard_tissue(volume: np.ndarray, voxel_mm3: float) -> Array:
    """0 to 1 for each voxel of `volume` (z, y, x; any unit in which brighter is denser)."""
    values = np.sort(volume, axis=None)
    sure = min(SURE_MM3, SURE_SHARE * len(values) * voxel_mm3)
    high = _exceeded_by(values, sure / voxel_mm3)
    low = _exceeded_by(values, sure * POSSIBLE_MM3 / SURE_MM3 / voxel_mm3)
    if high <= low:
        return np.zeros(volume.shape, np.float32)
    evidence = (volume.astype(np.float32) - np.float32(low)) / np.float32(high - low)
    return np.clip(evidence, 0, 1, out=evidence)


def _exceeded_by(ordered: np.ndarray, count: float) -> float:
    return float(ordered[max(0, len(ordered) - 1 - round(count))])
