"""Everything around the jaws: skin, fat, chewing muscles, mouth, airway and neck spine."""

from __future__ import annotations

import math

import numpy as np

from portal.phantom.maxilla import palate_height
from portal.phantom.section import AIR, CORTICAL, FAT, SOFT, Section
from portal.phantom.shapes import Array, fade, superellipse

# The profile from chin to nose: y of the skin at the midline, at these heights; then half width.
PROFILE_Z = [-60, -46, -38, -30, -21, -9, -1, 1, 9, 18, 26, 34, 60]
PROFILE_Y = [-34, -40, -44.5, -45.4, -43.0, -47.2, -45.6, -45.8, -48.4, -46.6, -47.6, -53, -55]
WIDTH_Z, WIDTH = [-60, -40, -10, 20, 60], [52, 57, 63, 66, 68]
AIRWAY_Z = [-60, -30, -12, 6, 20, 40]
AIRWAY_HALF_WIDTH, AIRWAY_HALF_DEPTH = [7.5, 8.5, 11.5, 13.5, 13.0, 12.0], [5.0, 4.6, 5.2, 6.6, 7.4, 7.0]
BACK_MM = 66.0
VERTEBRA_MM = 17.0


def paint_soft_tissue(section: Section) -> Array:
    """Draw skin, fat and muscle; returns how much of each voxel lies inside the skin (0..1)."""
    depth, inside = _skin(section)
    section.blend(inside, SOFT)
    flesh = inside > 0.5
    section.hu[flesh] += 22.0 * section.texture(flesh, 4.1)
    _fat(section, depth)
    if section.z < 26:  # chewing muscles either side of the ramus
        arch = section.plane.lower
        masseter = superellipse(arch.s - 80, arch.u - 12.5, 15, 5.5, 2.5)
        pterygoid = superellipse(arch.s - 82, arch.u + 8.5, 13, 5.0, 2.5)
        section.blend(section.ramp(masseter) * inside, SOFT + 18)
        section.blend(section.ramp(pterygoid) * inside, SOFT + 15)
    return inside


def _skin(section: Section) -> tuple[Array, Array]:
    """Depth under the skin in mm, and coverage of the head."""
    plane, z = section.plane, section.z
    front, wide = float(np.interp(z, PROFILE_Z, PROFILE_Y)), float(np.interp(z, WIDTH_Z, WIDTH))
    across = np.abs(plane.x) / wide
    surface = front + BACK_MM * across**2.35
    if z > 22:  # the nose
        surface -= (z - 22) * 0.55 * np.exp(-((plane.x / 9.0) ** 2))
    slope = BACK_MM * 2.35 / wide * (across + 1e-6) ** 1.35
    depth = (plane.y - surface) / np.sqrt(1 + slope**2)
    back = superellipse(plane.x, np.maximum(plane.y - 30, 0.0), wide + 6, 68.0, 2.4)
    return depth, np.minimum(section.ramp(-depth), section.ramp(back))


def _fat(section: Section, depth: Array) -> None:
    """A layer under the skin of the cheeks, streaked with fibres."""
    layer = np.clip((depth - 1.6) / 1.0, 0, 1) * np.clip((9.0 - depth) / 2.5, 0, 1)
    layer *= np.clip((np.abs(section.plane.x) - 7) / 9, 0, 1)
    where = layer > 0.02
    fibres = 0.5 + 0.5 * np.clip(1.8 * section.texture(where, 2.6), -1, 1)
    section.blend_where(where, 0.85 * layer[where], FAT + 70 * fibres)


def paint_airways(section: Section, inside: Array) -> None:
    """Draw the air over the tongue and behind the lips, the throat and the uvula."""
    plane, z = section.plane, section.z
    over_tongue = np.abs(z - (palate_height(plane.x, plane.y) - 3.0)) - (1.2 - 0.0012 * (plane.y + 10) ** 2)
    mouth = section.ramp(over_tongue) * section.ramp(np.abs(plane.x) - 15) * section.ramp(plane.y - 20)
    section.blend(mouth * np.clip(-plane.upper.u - 4.5, 0, 4) / 4.0, 0.93 * AIR)
    vestibule = section.ramp(superellipse(plane.upper.s, plane.upper.u - 8.0, 26.0, 0.55, 2.0))
    section.blend(0.8 * fade(z, -6.0, 3.0, 4.0) * vestibule * inside, AIR)
    half_width = float(np.interp(z, AIRWAY_Z, AIRWAY_HALF_WIDTH))
    half_depth = float(np.interp(z, AIRWAY_Z, AIRWAY_HALF_DEPTH))
    section.blend(section.ramp(superellipse(plane.x, plane.y - 31.5, half_width, half_depth, 2.3)), AIR)
    if -18 < z < 16:
        radius = float(np.interp(z, [-18, -10, 10, 16], [0.2, 2.8, 5.0, 7.0]))
        section.blend(section.ramp(np.hypot(plane.x, 1.1 * (plane.y - 26.5)) - radius), SOFT)


def paint_spine(section: Section) -> None:
    """Draw the cervical vertebrae, their discs and the arch around the spinal canal."""
    plane = section.plane
    phase = math.cos(2 * math.pi * (section.z + 6) / VERTEBRA_MM)
    waist = 1 + 0.07 * phase
    body = superellipse(plane.x, plane.y - 49.5, 10.5 * waist, 7.8 * waist, 2.6)
    if phase < -0.86:
        section.blend(section.ramp(body), 130.0)
        return
    section.blend(section.ramp(body), 0.85 * CORTICAL)
    core = section.ramp(body + 1.1)
    where = core > 0
    section.blend_where(where, core[where], 230 + 130 * section.texture(where, 1.3))
    outer = superellipse(plane.x, plane.y - 66, 17, 12.5, 2.2)
    ring = np.maximum(outer, -superellipse(plane.x, plane.y - 65.5, 11.5, 8.5, 2.1))
    section.blend(0.95 * section.ramp(ring), 900.0)
