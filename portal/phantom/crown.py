"""Draws crowns: enamel over dentin, with the outline and the cusps of each kind of tooth."""

from __future__ import annotations

import numpy as np

from portal.phantom.section import DENTIN, ENAMEL, LIGAMENT, PULP
from portal.phantom.shapes import Array, superellipse
from portal.phantom.window import Window

FOLLICLE_MM, PAPILLA_SHARE = 1.2, 0.55


def paint_crown(window: Window) -> None:
    tooth, h = window.tooth, window.h
    height = min(max(h / tooth.crown, 0.0), 1.0)
    side = outline(window, height)
    over = h - biting_surface(window)
    tooth_edge = np.maximum(side, over)
    thickness = float(np.interp(height, [0, 0.12, 0.6, 1], [0.05, 0.55, 1.05, 1.35]))
    core = np.maximum(side + thickness, over + (1.8 if tooth.kind >= 4 else 1.3))
    if h < 0:  # below the neck the enamel has run out
        tooth_edge = np.maximum(tooth_edge, -2.0 * h)
    window.fill(tooth_edge, ENAMEL)
    window.fill(core, DENTIN)


def paint_follicle(window: Window) -> None:
    """The soft sac around a germ; the crown is drawn into it next."""
    height = min(max(window.h / window.tooth.crown, 0.0), 1.0)
    sac = np.maximum(outline(window, height), window.h - biting_surface(window)) - FOLLICLE_MM
    window.blend(window.section.ramp(sac) * window.bone, LIGAMENT)


def paint_papilla(window: Window) -> None:
    """The soft core of a germ, open towards where its root will grow."""
    tooth = window.tooth
    share = 1.0 - window.h / (PAPILLA_SHARE * tooth.crown)
    if share > 0.0:
        half_m, half_b = 0.30 * tooth.width * share**0.5, 0.30 * tooth.depth * share**0.5
        window.fill(superellipse(window.m, window.b, half_m, half_b, 2.3), PULP)


def outline(window: Window, height: float) -> Array:
    """Outline of the crown from above: a chisel in front, a box at the back."""
    tooth = window.tooth
    width = np.interp(height, [0, 0.35, 0.7, 0.92, 1.0], [0.78, 0.96, 1.0, 0.90, 0.74])
    if tooth.kind <= 2:
        depth, n = np.interp(height, [0, 0.3, 0.7, 1], [0.86, 0.90, 0.52, 0.17]), 2.2
    elif tooth.kind == 3:
        depth, n = np.interp(height, [0, 0.3, 0.7, 1], [0.88, 0.95, 0.66, 0.20]), 2.1
    else:
        depth, n = np.interp(height, [0, 0.35, 0.75, 1], [0.86, 1.0, 0.93, 0.66]), 2.9
    return superellipse(window.m, window.b, 0.5 * tooth.width * width, 0.5 * tooth.depth * depth, n)


def biting_surface(window: Window) -> Array:
    """Height of the crown at each point: four cusps, two cusps, a point or an edge."""
    tooth, m, b = window.tooth, window.m, window.b
    across, along = 1 + np.cos(4 * np.pi * b / tooth.depth), 1 + np.cos(4 * np.pi * m / tooth.width)
    if tooth.kind >= 6:
        return np.asarray(tooth.crown - 0.51 * along - 0.51 * across)
    if tooth.kind >= 4:
        return np.asarray(tooth.crown - 0.75 * across)
    if tooth.kind == 3:
        return np.asarray(tooth.crown - 1.7 * np.abs(m) / (0.5 * tooth.width))
    return np.asarray(tooth.crown - 0.25 * (m / (0.5 * tooth.width)) ** 2)
