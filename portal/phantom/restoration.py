"""Draws dental work: amalgam, metal crowns and implants, and says where metal will cast streaks."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from portal.phantom.crown import biting_surface, outline
from portal.phantom.findings import Filling
from portal.phantom.section import METAL, TITANIUM, ZIRCONIA
from portal.phantom.shapes import fade, superellipse
from portal.phantom.window import Window


class Metal(NamedTuple):
    """Metal in a section, for the streaks it casts: centre and radius in mm, strength about 1."""

    x: float
    y: float
    radius: float
    strength: float


def paint_filling(window: Window) -> Metal | None:
    tooth, h = window.tooth, window.h
    x, y = tooth.axis(h)
    over = h - biting_surface(window)
    if tooth.filling is Filling.AMALGAM and h > 0.5 * tooth.crown:
        inlay = superellipse(window.m, window.b, 0.33 * tooth.width, 0.27 * tooth.depth, 3.0)
        window.fill(np.maximum(inlay, over), METAL)
        return Metal(x, y, 0.30 * tooth.width, fade(h, 0.65 * tooth.crown, 0.9 * tooth.crown, 1.0))
    if tooth.filling is Filling.METAL_CROWN and h > 0.06 * tooth.crown:
        side = outline(window, min(h / tooth.crown, 1.0))
        shell = np.maximum(np.maximum(side, over), -np.maximum(side + 0.9, over + 1.1))
        window.fill(shell, METAL)
        return Metal(x, y, 0.42 * tooth.width, 1.2 * fade(h, 0.3 * tooth.crown, 0.85 * tooth.crown, 1.5))
    return None


# The implant: a 4.1 mm screw 11.5 mm long with a 0.9 mm thread under a tooth-shaped crown.
SCREW_RADIUS_MM, SCREW_LENGTH_MM, THREAD_MM, COLLAR_MM, FLARE_MM = 2.05, 11.5, 0.9, 0.5, 3.0


def paint_implant(window: Window) -> Metal | None:
    tooth, h = window.tooth, window.h
    if h > COLLAR_MM:
        # The crown flares from the screw's width to the tooth's.
        flare = float(np.interp(h, [COLLAR_MM, COLLAR_MM + FLARE_MM], [1.0, 0.0])) ** 2
        side = outline(window, min(h / tooth.crown, 1.0)) + flare * (0.5 * tooth.width - SCREW_RADIUS_MM)
        window.fill(np.maximum(side, h - biting_surface(window)), ZIRCONIA)
        return None
    radius = _screw_radius(h)
    if radius <= 0.3:
        return None
    window.fill(np.hypot(window.m, window.b) - radius, TITANIUM)
    return Metal(*tooth.axis(h), radius, 0.6)


def _screw_radius(h: float) -> float:
    if h < -SCREW_LENGTH_MM:
        return 0.0
    if h > -1.0:
        return SCREW_RADIUS_MM
    radius = SCREW_RADIUS_MM + 0.05 * (h + 1) + 0.22 * math.cos(2 * math.pi * h / THREAD_MM)
    return radius * math.sqrt(min(1.0, SCREW_LENGTH_MM + h))
