"""Two-dimensional X-rays computed from a volume: it is unrolled along the arch and summed across it.

A panoramic unit sharpens only a trough around the arch; the weights across the arch do the same. Lengths
are an adult head's: a child's volume comes with its grid enlarged to match (`Grid.times`). The result is
a display image: bone bright, contrast already set, columns running to the patient's left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from portal.phantom.curve import Arch
from portal.phantom.shapes import Array
from portal.phantom.volume import Volume

GREY_MAX = 4095  # 12 bits
# Metal would make everything else grey: a detector saturates too.
BRIGHTEST_HU = 4000
ACROSS_STEP_MM = 0.5


def unroll(volume: Volume, arch: Arch, s: Array, u: Array, weights: Array) -> Array:
    """Mean density along rays across the arch.

    `s` (columns) are arc lengths in mm, negative to the patient's right; `u` are distances across the
    arch with their `weights`. Returns (sections, columns), top row nearest the head, 0 for air, about
    1000 for water.
    """
    x, y, nx, ny = arch.at(s)
    grid = volume.grid
    density = np.clip(volume.hu, -1000, BRIGHTEST_HU).astype(np.float32).reshape(grid.shape[0], -1) + 1000
    total = np.zeros((grid.shape[0], len(s)))
    for distance, weight in zip(u, weights / weights.sum(), strict=True):
        corners = _corners((x + distance * nx - grid.origin[0]) / grid.voxel_mm,
                           (y + distance * ny - grid.origin[1]) / grid.voxel_mm, grid.shape)  # fmt: skip
        for index, share in corners:
            total += weight * share * np.take(density, index, axis=1)
    return total[::-1]


def _corners(column: Array, row: Array, shape: tuple[int, int, int]) -> list[tuple[NDArray[np.intp], Array]]:
    """Flat index and share of the four voxels around each point of a section (bilinear)."""
    column, row = np.clip(column, 0, shape[2] - 1.001), np.clip(row, 0, shape[1] - 1.001)
    left, top = column.astype(np.intp), row.astype(np.intp)
    ax, ay = column - left, row - top
    first = top * shape[2] + left
    return [(first, (1 - ax) * (1 - ay)), (first + 1, ax * (1 - ay)),
            (first + shape[2], (1 - ax) * ay), (first + shape[2] + 1, ax * ay)]  # fmt: skip


def panoramic(
    volume: Volume, arch: Arch, columns: int, half_length_mm: float
) -> tuple[NDArray[np.uint16], float]:
    """A panoramic image of both jaws, ear to ear as far as the volume goes, and its pixel size in mm."""
    pixel_mm = 2 * half_length_mm / columns
    s = (np.arange(columns, dtype=np.float64) + 0.5) * pixel_mm - half_length_mm
    u: Array = np.arange(-11.0, 9.01, ACROSS_STEP_MM)
    image = unroll(volume, arch, s, u, np.exp(-((u / 9.0) ** 2)))
    image = _stretch_rows(image, round(len(image) * volume.grid.voxel_mm / pixel_mm))
    # The unit evens out large differences (the spine's shadow, the thick chin) before display.
    return grey(image - 0.5 * box_mean(image, round(9.0 / pixel_mm))), pixel_mm


def periapical(
    volume: Volume, arch: Arch, s_range: tuple[float, float], pixel_mm: float
) -> NDArray[np.uint16]:
    """An intra-oral image of the teeth between two arc lengths, over the volume's whole height."""
    s = np.arange(*s_range, pixel_mm) + pixel_mm / 2
    u = np.arange(-8.0, 8.01, ACROSS_STEP_MM)
    image = unroll(volume, arch, s, u, np.ones_like(u))
    image = _stretch_rows(image, round(len(image) * volume.grid.voxel_mm / pixel_mm))
    return grey(image)


def grey(image: Array) -> NDArray[np.uint16]:
    """Any image as 12-bit grey values, the darkest 1 % black and the brightest 0.3 % white."""
    low, high = np.percentile(image, [1.0, 99.7])
    share = np.clip((image - low) / max(high - low, 1e-9), 0, 1) ** 0.85
    return np.asarray(np.rint(share * GREY_MAX), dtype=np.uint16)


def box_mean(image: Array, width: int) -> Array:
    """Mean over a square `width` pixels wide, edges repeated, by running sums."""
    half = width // 2
    for axis in (0, 1):
        padding = [(half + 1, half) if axis == each else (0, 0) for each in (0, 1)]
        sums = np.cumsum(np.pad(image, padding, mode="edge"), axis=axis)
        span, length = 2 * half + 1, image.shape[axis]
        high = np.take(sums, range(span, span + length), axis=axis)
        image = (high - np.take(sums, range(length), axis=axis)) / span
    return image


def _stretch_rows(image: Array, rows: int) -> Array:
    """The image with `rows` rows, each interpolated between two old ones."""
    at = np.clip((np.arange(rows) + 0.5) * len(image) / rows - 0.5, 0, len(image) - 1.001)
    above = at.astype(np.intp)
    share = (at - above)[:, None]
    return np.asarray(image[above] * (1 - share) + image[above + 1] * share)
