"""How like a shown picture is to one that was computed apart from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def windowed(values: NDArray[np.generic], center: float, width: float) -> NDArray[np.uint8]:
    """Values as grey, linear: black at center - width/2, white at center + width/2."""
    share = (values.astype(np.float64) - (center - width / 2)) / width
    return np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)


def likeness(shown: NDArray[np.uint8], expected: NDArray[np.uint8], *, aspect: float | None = None) -> float:
    """Correlation (-1 to 1) of what is shown with the expected picture, fitted into the same box and centred.

    `aspect` is the picture's width by its height where its pixels aren't square. A mirrored, turned, inverted or
    other picture stays far from 1.
    """
    height, width = shown.shape
    aspect = aspect or expected.shape[1] / expected.shape[0]
    box_width = min(width, round(height * aspect))
    box_height = min(height, round(width / aspect))
    x, y = (width - box_width) // 2, (height - box_height) // 2
    fitted = Image.fromarray(expected).resize((box_width, box_height), Image.Resampling.BILINEAR)
    part = shown[y : y + box_height, x : x + box_width]
    return float(np.corrcoef(part.ravel(), np.asarray(fitted).ravel())[0, 1])
