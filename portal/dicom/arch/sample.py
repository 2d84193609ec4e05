"""Trilinear values of a volume anywhere between its voxels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sample(volume: np.ndarray, places: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Values at `places` (…, 3), x y z in voxels with centres at whole numbers, and which places lie inside.

    Inside is up to half a voxel around the outer centres, where the nearest value holds, as a texture clamps.
    """
    sizes = np.array(volume.shape[::-1])
    inside = np.all((places >= -0.5) & (places <= sizes - 0.5), axis=-1)
    bounded = np.clip(places, 0, sizes - 1)
    low = np.minimum(bounded.astype(np.intp), np.maximum(sizes - 2, 0))
    part = (bounded - low).astype(np.float32)
    step = (sizes > 1).astype(np.intp)
    strides = np.array([1, sizes[0], sizes[0] * sizes[1]])
    flat, base = volume.reshape(-1), low @ strides
    value = np.zeros(base.shape, np.float32)
    for corner in np.ndindex(2, 2, 2):
        share = np.prod(np.where(corner, part, 1 - part), axis=-1, dtype=np.float32)
        value += share * flat[base + (np.array(corner) * step) @ strides]
    return value, inside
