"""The lower jaw: body, ramus, and the canal of the inferior alveolar nerve with its mental foramen.

The jaw is a thick ribbon along the lower arch. The tables say where it runs, all in mm, as functions
of the arc length s from the midline; u is measured outward and z up.
"""

from __future__ import annotations

import numpy as np

from portal.phantom.dentition import LOWER, interdental
from portal.phantom.section import CORTICAL, Section
from portal.phantom.shapes import Array, superellipse

# Bone: middle height, half height, half thickness and outward shift of the ribbon.
BONE_S = np.array([0, 12, 24, 36, 48, 57, 64, 71, 78, 90, 97, 104.0])
BONE_Z = np.array([-26.0, -26.2, -26.2, -26, -25.6, -24.5, -19, -10, -4, -2, -2, -2])
BONE_HALF_HEIGHT = np.array([15.8, 15.4, 15.1, 14.9, 14.6, 15.0, 20.5, 29, 35, 37, 36, 33.0])
BONE_HALF_WIDTH = np.array([6.9, 6.3, 5.9, 6.0, 6.7, 7.2, 6.3, 5.2, 4.5, 4.0, 2.6, 0.25])
BONE_U = np.array([-0.4, -0.4, -0.3, -0.2, -0.4, -0.2, 1.2, 2.2, 2.6, 2.6, 2.6, 2.6])
# Canal: it leaves the bone at the cheek side (the mental foramen) at the first entry.
CANAL_S = np.array([27.5, 29.5, 31.5, 34, 40, 48, 56, 64, 72, 79.0])
CANAL_Z = np.array([-24.6, -25.4, -27.2, -29.4, -31.0, -31.2, -29.6, -24.5, -15, -3.0])
CANAL_U = np.array([5.6, 3.6, 1.5, 0.2, -0.4, -1.0, -1.6, -1.2, -0.4, -2.2])
CANAL_RADIUS_MM, CANAL_HU = 1.5, 30.0

MIDDLES = CANAL_S[:-1] + np.diff(CANAL_S) / 2
SLOPES = np.diff(CANAL_Z) / np.diff(CANAL_S)
GAPS = interdental(LOWER)
FRONT_Y = -36.1  # where the lower arch crosses the midline


def crest(s: Array, gaps: Array) -> Array:
    """Height of the bone's edge over its mean, mm: higher between two teeth than beside one."""
    places = np.sort(np.concatenate([gaps, (gaps[:-1] + gaps[1:]) / 2]))
    heights = np.where(np.isin(places, gaps), 0.9, -0.5)
    return np.asarray(np.interp(s, np.append(places, places[-1] + 4), np.append(heights, 0.0)))


def paint(section: Section) -> None:
    """Draw the lower jaw's bone and its nerve canals (not the teeth)."""
    arch, z = section.plane.lower, section.z
    near = (np.abs(arch.u) < 14) & (arch.s < 106)
    s, u = arch.s[near], arch.u[near]
    rise = 0.5 * crest(s, GAPS)
    half_height = np.interp(s, BONE_S, BONE_HALF_HEIGHT) + rise
    half_width = np.interp(s, BONE_S, BONE_HALF_WIDTH)
    shift = np.interp(s, BONE_S, BONE_U)
    distance = superellipse(u - shift, z - np.interp(s, BONE_S, BONE_Z) - rise, half_width, half_height, 2.9)
    section.paint_bone(near, distance, 1.9 + 0.9 * float(np.clip((-30 - z) / 8, 0, 1)))
    _genial_tubercle(section)
    canal = _canal(s, u, z)
    section.blend_where(near, 0.75 * section.ramp(canal - 0.6) * section.bone[near], 1000.0)
    section.blend_where(near, section.ramp(canal), CANAL_HU)


def _canal(s: Array, u: Array, z: float) -> Array:
    """Signed distance to the canal: a tube across its slope, closed at both ends."""
    slope = np.interp(s, MIDDLES, SLOPES)
    height = (z - np.interp(s, CANAL_S, CANAL_Z)) / np.sqrt(1 + slope**2)
    tube = np.hypot(u - np.interp(s, CANAL_S, CANAL_U), height) - CANAL_RADIUS_MM
    return np.asarray(np.maximum(tube, np.maximum(CANAL_S[0] - s, s - CANAL_S[-1])))


def _genial_tubercle(section: Section) -> None:
    """The small bump behind the chin."""
    plane = section.plane
    behind_chin = plane.y - (FRONT_Y + 7.0)
    flat = np.hypot(plane.x, behind_chin)
    section.blend(section.ramp(superellipse(flat, section.z + 28.0, 1.9, 4.5, 2.0)), CORTICAL)
