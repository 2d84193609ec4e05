"""Draws one tooth into one section: root below the neck, crown above it, or an implant instead."""

from __future__ import annotations

from portal.phantom.crown import paint_crown, paint_follicle, paint_papilla
from portal.phantom.dentition import Tooth
from portal.phantom.restoration import Metal, paint_filling, paint_implant
from portal.phantom.root import paint_pulp, paint_root
from portal.phantom.section import Section
from portal.phantom.window import Window, look

# How far beyond the tip of the root a lesion may reach.
BEYOND_ROOT_MM = 4.5
NECK_OVERLAP_MM = 0.6


def paint(section: Section, tooth: Tooth) -> Metal | None:
    """Draw what this section shows of the tooth; returns its metal, if any."""
    h = tooth.height(section.z)
    if not -tooth.root - BEYOND_ROOT_MM <= h <= tooth.crown + 0.8:
        return None
    window = look(section, tooth, h)
    if window is None:
        return None
    if tooth.is_implant:
        return paint_implant(window)
    if tooth.has_root:
        _rooted(window)
    elif h > -NECK_OVERLAP_MM:
        paint_follicle(window)
        paint_crown(window)
        paint_papilla(window)
    return paint_filling(window)


def _rooted(window: Window) -> None:
    if window.h < NECK_OVERLAP_MM:
        paint_root(window)
    if window.h > -NECK_OVERLAP_MM:
        paint_crown(window)
    paint_pulp(window)
