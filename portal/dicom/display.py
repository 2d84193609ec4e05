"""How a picture's values are shown: described file by file, then made one for a series.

    shown value = stored sample * slope + intercept          a bigger shown value is always brighter

Stored samples are unsigned, so a series of CT slices, each with its own rescale, gets ONE slope and intercept;
where their grids agree (the rule) not a bit is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

MAX_U8: Final = 0xFF
MAX_U16: Final = 0xFFFF


@dataclass(frozen=True)
class PixelDescription:
    """The shown values of one file (HU for CT): their range, grid and window. `low` and `high` leave 0.5 % outside.

    Neighbouring shown values are `step` apart. Colour pictures are 8 bit and have nothing to tell.
    """

    samples_per_pixel: int
    minimum: float
    maximum: float
    low: float
    high: float
    step: float
    unit: str
    window_center: float | None
    window_width: float | None


@dataclass(frozen=True)
class DisplaySpec:
    """How a series is stored and shown; window and value range are in shown values."""

    slope: float
    intercept: float
    window_center: float
    window_width: float
    value_range: tuple[float, float]
    sample_bytes: int
    samples_per_pixel: int
    unit: str


COLOUR: Final = DisplaySpec(1.0, 0.0, 127.5, 255.0, (0.0, 255.0), 1, 3, "")
COLOUR_DESCRIPTION: Final = PixelDescription(3, 0.0, 255.0, 0.0, 255.0, 1.0, "", None, None)


def unify(descriptions: Sequence[PixelDescription]) -> DisplaySpec:
    """One way of showing all files of a series.

    Raises `ValueError` if there are none, or colour and grey ones together: those are two series.
    """
    samples = {description.samples_per_pixel for description in descriptions}
    if len(samples) != 1:
        raise ValueError("A series is shown as colour or as grey, not both.")
    if samples == {3}:
        return COLOUR
    minimum = min(description.minimum for description in descriptions)
    maximum = max(description.maximum for description in descriptions)
    slope = _common_step(descriptions, maximum - minimum)
    center, width = _window(descriptions, slope)
    return DisplaySpec(
        slope=slope,
        intercept=minimum,
        window_center=center,
        window_width=width,
        value_range=(minimum, maximum),
        sample_bytes=1 if maximum - minimum <= MAX_U8 * slope else 2,
        samples_per_pixel=1,
        unit="HU" if all(description.unit == "HU" for description in descriptions) else "",
    )


def _common_step(descriptions: Sequence[PixelDescription], extent: float) -> float:
    """The step of the finest file, or the finest that 16 bits can hold. Files on one grid lose nothing by it."""
    finest = min(description.step for description in descriptions)
    return max(finest, extent / MAX_U16)


def _window(descriptions: Sequence[PixelDescription], slope: float) -> tuple[float, float]:
    """The window of the middle file that has one, else the middle 99 % of the values."""
    stated = [
        (description.window_center, description.window_width)
        for description in descriptions
        if description.window_center is not None and description.window_width is not None
    ]
    if stated:
        return stated[len(stated) // 2]
    low = median(description.low for description in descriptions)
    high = max(description.high for description in descriptions)
    return (low + high) / 2, max(high - low, slope)
