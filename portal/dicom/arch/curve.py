"""A curve through control points, and points evenly along it.

`static/js/viewer/arch.js` draws the same curve; the tests compare the two.

Source: Yuksel, Schaefer, Keyser, "Parameterization and applications of Catmull-Rom curves", Computer-Aided Design 43
(2011): with centripetal knots the curve has no cusps and doesn't cross itself between its points.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

PER_SPAN: Final = 64


def catmull_rom(control: Points, per_span: int = PER_SPAN) -> Points:
    """A dense curve (n, d) through all control points (k, d); the ends run on straight."""
    knots = np.concatenate([2 * control[:1] - control[1:2], control, 2 * control[-1:] - control[-2:-1]])
    t = np.arange(per_span) / per_span
    spans = [_span(knots[at : at + 4], t) for at in range(len(control) - 1)]
    return np.concatenate([*spans, control[-1:]])


def resample(points: Points, step: float) -> Points:
    """Points `step` apart along the polyline; the first is kept, what is left over at the end is dropped."""
    along = lengths(points)
    even = np.arange(0.0, along[-1] + 1e-9, step)
    return np.stack([np.interp(even, along, axis) for axis in points.T], axis=1)


def lengths(points: Points) -> Points:
    """How far along the polyline each point lies."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])


def _span(knots: Points, t: Points) -> Points:
    """Barry and Goldman's pyramid between the second and the third of four points."""
    gaps = np.maximum(np.sqrt(np.linalg.norm(np.diff(knots, axis=0), axis=1)), 1e-6)
    at = np.concatenate([[0.0], np.cumsum(gaps)])
    when = (at[1] + t * (at[2] - at[1]))[:, None]

    def between(a: Points, b: Points, low: int, high: int) -> Points:
        return (a * (at[high] - when) + b * (when - at[low])) / (at[high] - at[low])

    first = [between(knots[i], knots[i + 1], i, i + 1) for i in range(3)]
    second = [between(first[i], first[i + 1], i, i + 2) for i in range(2)]
    return between(second[0], second[1], 1, 2)
