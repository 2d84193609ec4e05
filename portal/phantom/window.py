"""The few voxels of a section around one tooth, in the tooth's own coordinates."""

from __future__ import annotations

from dataclasses import dataclass

from portal.phantom.dentition import Tooth
from portal.phantom.section import Section
from portal.phantom.shapes import Array


@dataclass
class Window:
    """The few voxels of a section near one tooth, in the tooth's own coordinates.

    `m` runs from mesial to distal and `b` from the tongue to the cheek, in mm from the axis at height `h`.
    """

    section: Section
    tooth: Tooth
    h: float
    m: Array
    b: Array
    hu: Array
    bone: Array

    def blend(self, coverage: Array, value: float) -> None:
        """Paint into the section itself: `hu` is a view of it."""
        self.hu += coverage * (value - self.hu)

    def fill(self, distance: Array, value: float) -> None:
        """Paint a shape given by its signed distance."""
        self.blend(self.section.ramp(distance), value)


def look(section: Section, tooth: Tooth, h: float) -> Window | None:
    plane = section.plane
    cx, cy = tooth.axis(h)
    reach = 0.75 * max(tooth.width, tooth.depth) + 4.0
    columns = _reach(cx - plane.x[0, 0], reach, plane.pitch_mm)
    rows = _reach(cy - plane.y[0, 0], reach, plane.pitch_mm)
    dx, dy = plane.x[rows, columns] - cx, plane.y[rows, columns] - cy
    if dx.size == 0:
        return None
    m, b = dx * tooth.mx + dy * tooth.my, dx * tooth.bx + dy * tooth.by
    return Window(section, tooth, h, m, b, section.hu[rows, columns], section.bone[rows, columns])


def _reach(centre: float, reach: float, pitch_mm: float) -> slice:
    first, last = int((centre - reach) / pitch_mm), int((centre + reach) / pitch_mm) + 2
    return slice(max(first, 0), max(last, 0))
