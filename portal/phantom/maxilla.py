"""The upper jaw: tooth-bearing ridge, hard palate, nasal cavity and maxillary sinuses."""

from __future__ import annotations

import math

import numpy as np

from portal.phantom.dentition import UPPER, interdental
from portal.phantom.mandible import crest
from portal.phantom.section import AIR, CORTICAL, SOFT, Section
from portal.phantom.shapes import Array, superellipse

# Ridge: half thickness, outward shift and half height along the arc length s, in mm.
WIDTH_S, WIDTH = np.array([0, 20, 45, 58, 66, 72.0]), np.array([5.6, 6.0, 7.4, 7.6, 6.2, 0.3])
SHIFT_S, SHIFT = np.array([0, 20, 45, 66.0]), np.array([-0.4, -0.2, -0.6, -0.8])
HEIGHT_S, HEIGHT = np.array([0, 20, 40, 66.0]), np.array([13.0, 12.5, 9.5, 8.5])
RIDGE_EDGE_Z = 9.4
LOWEST_Z = 6.0
GAPS = interdental(UPPER)


def palate_height(x: Array, y: Array) -> Array:
    """Height z of the hard palate in mm: a vault, lower towards the front teeth."""
    vault = 3.4 * np.clip(1 - (x / 19.0) ** 2, -1, 1)
    return np.asarray(19.0 + vault - 3.0 * np.clip((-18 - y) / 16.0, 0, 1))


def paint(section: Section, inside: Array) -> None:
    """Draw the upper jaw without its teeth; `inside` is how much of each voxel is within the skin."""
    if section.z <= LOWEST_Z:
        return
    plane = section.plane
    palate = palate_height(plane.x, plane.y)
    nose = superellipse(plane.x, plane.y - 4.5, 12.6 + 0.05 * (section.z - 22), 32.5, 4.0)
    nose = np.maximum(nose, palate + 1.9 - section.z)
    _palate(section, palate)
    if section.z > 18:
        _front_wall(section, nose)
    _ridge(section)
    _nasal_cavity(section, nose)
    for side in (-1.0, 1.0):
        _sinus(section, side, inside)


def _palate(section: Section, palate: Array) -> None:
    plane = section.plane
    arch = plane.upper
    plate = np.maximum.reduce([np.abs(section.z - palate) - 1.7, arch.u + 0.5, plane.y - 17.0, arch.s - 63.0])
    near = plate < 4
    section.paint_bone(near, plate[near], 1.0)


def _front_wall(section: Section, nose: Array) -> None:
    """The wall that leans outward up to the cheek bone."""
    arch, lean = section.plane.upper, 0.10 * (section.z - 18)
    wall = np.maximum.reduce([np.abs(arch.u - 1.0 - lean) - 4.3, arch.s - 60, 9 - arch.s, -nose - 1.0])
    near = wall < 3
    section.paint_bone(near, wall[near], 1.1)


def _ridge(section: Section) -> None:
    arch = section.plane.upper
    near = (np.abs(arch.u) < 13) & (arch.s < 76)
    s, u = arch.s[near], arch.u[near]
    half_height = np.interp(s, HEIGHT_S, HEIGHT)
    middle = RIDGE_EDGE_Z - crest(s, GAPS) + half_height
    half_width, shift = np.interp(s, WIDTH_S, WIDTH), np.interp(s, SHIFT_S, SHIFT)
    distance = superellipse(u - shift, section.z - middle, half_width, half_height, 2.9)
    section.paint_bone(near, distance, 1.25)


def _nasal_cavity(section: Section, nose: Array) -> None:
    """Air, two turbinates a side, and a septum that is never quite straight."""
    plane, z = section.plane, section.z
    cavity = section.ramp(nose)
    section.blend(cavity, AIR)
    section.remove_bone(cavity)
    for cx, cz, half_x, half_z in ((7.6, 27.4, 3.3, 4.5), (7.2, 37.0, 2.8, 4.4)):
        shell = superellipse(np.abs(plane.x) - cx - 0.7 * np.sin(plane.y / 6.0), z - cz, half_x, half_z, 2.0)
        body = np.maximum(shell, (np.abs(plane.y - 4) - 24) * 0.6 + 1.5 * (shell + 1))
        section.blend(section.ramp(body) * cavity, SOFT)
        bone = np.maximum(np.abs(shell + 1.9) - 0.35, np.abs(plane.y - 4) - 22)
        section.blend(0.8 * section.ramp(bone) * cavity, 600.0)
    septum = np.abs(plane.x - 1.3 * np.sin((plane.y + 10) / 13.0) * math.sin((z - 14) / 9.0))
    section.blend(section.ramp(np.maximum(septum - 1.6, nose - 0.4)), SOFT)
    section.blend(section.ramp(np.maximum(septum - 0.55, nose - 0.4)), 800.0)


def _sinus(section: Section, side: float, inside: Array) -> None:
    """One maxillary sinus: air with a few bays, a lining (thicker on the left), a thin wall."""
    plane, z = section.plane, section.z
    sx, sy = (plane.x * side - 25.2) / 9.6, (plane.y + 3) / 16.5
    sz = (z - 33.0 + 0.7 * side) / 12.6
    angle = np.arctan2(sy, sx)
    waves = 0.07 * np.sin(3 * angle + side) + 0.05 * np.sin(5 * angle + z / 5.0 + 2 * side)
    bays = np.clip(1.4 * np.hypot(sx, sy), 0, 1) ** 2 * waves + 0.02 * math.sin(z / 2.3 + side)
    distance = (np.sqrt(sx**2 + sy**2 + sz**2) - 1 - bays) * 9.6
    section.blend(section.ramp(distance - 1.0) * inside, 0.9 * CORTICAL)
    section.blend(section.ramp(distance), 0.6 * SOFT)
    lining = 0.7 + (2.2 if side > 0 else 0.4) * min(max((24.5 - z) / 4.0, 0.0), 1.0)
    section.blend(section.ramp(distance + lining), AIR)
    section.remove_bone(section.ramp(distance))
