"""Draws roots: their number, taper and parting, the socket around them, the pulp and its canals."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from portal.phantom.dentition import Tooth
from portal.phantom.findings import Filling
from portal.phantom.section import CORTICAL, DENTIN, GUTTA_PERCHA, LIGAMENT, PULP
from portal.phantom.shapes import Array, superellipse
from portal.phantom.window import Window


class Branch(NamedTuple):
    """One root: place (m, b) and half sizes at the neck, and how far it has spread at the tip, in mm."""

    m: float
    b: float
    half_m: float
    half_b: float
    spread_m: float
    spread_b: float


def branches_of(tooth: Tooth) -> list[Branch]:
    """Lower molars have two roots, upper molars three, upper first premolars two, the others one."""
    w, d = tooth.width, tooth.depth
    if tooth.kind >= 6 and not tooth.is_upper:
        return [Branch(-0.21 * w, 0, 0.17 * w, 0.36 * d, -0.10 * w, 0),
                Branch(0.21 * w, 0, 0.16 * w, 0.33 * d, 0.04 * w, 0)]  # fmt: skip
    if tooth.kind >= 6:
        return [Branch(-0.20 * w, 0.18 * d, 0.18 * w, 0.22 * d, -0.12 * w, 0.08 * d),
                Branch(0.20 * w, 0.18 * d, 0.16 * w, 0.20 * d, 0.12 * w, 0.06 * d),
                Branch(0, -0.19 * d, 0.25 * w, 0.21 * d, 0, -0.26 * d)]  # fmt: skip
    if tooth.kind == 4 and tooth.is_upper:
        return [Branch(0, 0.18 * d, 0.28 * w, 0.19 * d, 0, 0.12 * d),
                Branch(0, -0.18 * d, 0.27 * w, 0.19 * d, 0, -0.10 * d)]  # fmt: skip
    return [Branch(0, 0, 0.38 * w, 0.42 * d, 0.12, 0)]


# Roots of a tooth with several part between these shares of the root's length.
PART_FROM, PART_TO = 0.20, 0.36
# The pulp chamber begins at this share of the crown and ends at that of the root; a canal's share of its root.
CHAMBER_ROOF, CHAMBER_FLOOR_SINGLE, CHAMBER_FLOOR_MULTI, CANAL_SHARE = 0.46, 0.25, 0.17, 0.22


def paint_root(window: Window) -> None:
    tooth, t = window.tooth, max(-window.h, 0.0) / window.tooth.root
    if tooth.has_lesion:
        _lesion(window, t)
    if t >= 1.0:
        return
    branches = branches_of(tooth)
    shapes = [branch_distance(window, branch, t) for branch in branches]
    if len(branches) > 1 and t < PART_TO:
        shapes.append(_trunk(window, t))
    outline = np.minimum.reduce(shapes)
    if window.h < -1.2:
        window.blend(window.section.ramp(outline - 0.75) * window.bone, CORTICAL)  # lamina dura
        window.fill(outline - 0.28, LIGAMENT)
    window.fill(outline, DENTIN)


def _taper(t: float) -> float:
    """Width of a root at share t of its length, against the neck: slender, with a round tip."""
    width: float = 1 - 0.60 * t**1.2
    return width * math.sqrt(max(0.0, 1.0 - ((t - 0.86) / 0.14) ** 2)) if t > 0.86 else width


def branch_distance(
    window: Window, branch: Branch, t: float, *, share: float = 1.0, least_mm: float = 0.15
) -> Array:
    """Signed distance to one root at share t of its length, or to its canal: `share` of its width."""
    half_m = max(branch.half_m * _taper(t) * share, least_mm)
    half_b = max(branch.half_b * _taper(t) * share, least_mm)
    m, b = window.m - branch.m - branch.spread_m * t, window.b - branch.b - branch.spread_b * t
    return superellipse(m, b, half_m, half_b, 2.2)


def _trunk(window: Window, t: float) -> Array:
    """The common trunk, which thins out where the roots part (the furcation)."""
    tooth, width = window.tooth, 0.39 - 0.10 * t
    left = 1.0 if t < PART_FROM else math.sqrt(max(0.02, 1 - ((t - PART_FROM) / (PART_TO - PART_FROM)) ** 2))
    half_m, half_b = width * tooth.width, (width + 0.04) * tooth.depth
    return superellipse(window.m, window.b, half_m * (0.3 + 0.7 * left), half_b * (0.5 + 0.5 * left), 2.5)


def _lesion(window: Window, t: float) -> None:
    """A dark round spot in the bone around the tip of the first root."""
    half = 2.9 * math.sqrt(max(0.0, 1 - ((t - 1.04) / 0.24) ** 2))
    if half <= 0.2:
        return
    branch = branches_of(window.tooth)[0]
    distance = np.hypot(window.m - branch.m - branch.spread_m, window.b - branch.b - branch.spread_b) - half
    window.blend(window.section.ramp(distance - 0.45) * window.bone, 900.0)
    window.blend(window.section.ramp(distance) * window.bone, 70.0)


def paint_pulp(window: Window) -> None:
    """The pulp chamber and, below it, one canal a root; filled if the tooth was treated."""
    tooth, h = window.tooth, window.h
    value = GUTTA_PERCHA if tooth.filling is Filling.ROOT_CANAL else PULP
    branches = branches_of(tooth)
    floor = CHAMBER_FLOOR_MULTI if len(branches) > 1 else CHAMBER_FLOOR_SINGLE
    t = -h / tooth.root
    if t <= floor and h < CHAMBER_ROOF * tooth.crown:
        half_m, half_b = _chamber(tooth, t / floor, ends_round=len(branches) > 1)
        window.fill(superellipse(window.m, window.b, half_m, half_b, 2.3), value)
    if 0.85 * floor < t < 0.95:
        for branch in branches:
            window.fill(branch_distance(window, branch, t, share=CANAL_SHARE, least_mm=0.22), value)


def _chamber(tooth: Tooth, depth: float, *, ends_round: bool) -> tuple[float, float]:
    """Half sizes of the pulp chamber; `depth` is 1 at its floor, 0 at the neck, negative in the crown.

    It narrows to horns in the crown. With several roots it has a round floor, with one it runs into
    the canal.
    """
    if depth < 0:
        floor = CHAMBER_FLOOR_MULTI if ends_round else CHAMBER_FLOOR_SINGLE
        share = 1.0 + depth * floor * tooth.root / (CHAMBER_ROOF * tooth.crown)
    else:
        share = math.sqrt(1 - 0.9 * depth**4) if ends_round else 1.0 - 0.35 * depth
    widest = 0.17 if ends_round else 0.13
    return widest * tooth.width * share + 0.05, widest * tooth.depth * share + 0.05
