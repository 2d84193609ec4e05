"""Which teeth stand where: sizes, places on the arch, tilt, and each patient's small irregularities.

Sizes are means of permanent teeth. Source: Nelson, Wheeler's Dental Anatomy, table of measurements.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from portal.phantom.curve import Arch
from portal.phantom.findings import Filling, Findings
from portal.phantom.shapes import Array

GAP_MM = 0.12
# How far below its later place a germ lies, in the upper and the lower jaw.
GERM_DEPTH_UPPER_MM, GERM_DEPTH_LOWER_MM = 10.0, 12.0


class Size(NamedTuple):
    """A kind of tooth, in mm and degrees; `tilt_deg` leans the root to the cheek as it goes in."""

    mesiodistal: float
    buccolingual: float
    crown: float
    root: float
    tilt_deg: float


UPPER = (Size(8.5, 7.0, 10.5, 13.0, 16), Size(6.5, 6.2, 9.2, 13.0, 15), Size(7.6, 8.0, 10.3, 16.5, 9),
         Size(7.0, 9.0, 8.6, 14.0, 4), Size(6.8, 9.0, 8.4, 14.0, 3), Size(10.2, 11.0, 7.6, 12.5, -3),
         Size(9.6, 11.0, 7.2, 11.5, -5), Size(8.6, 10.0, 6.6, 10.5, -8))  # fmt: skip
LOWER = (Size(5.2, 6.0, 9.0, 12.5, 10), Size(5.7, 6.4, 9.4, 13.8, 9), Size(6.9, 7.6, 10.8, 15.8, 5),
         Size(7.0, 7.6, 8.7, 14.0, -2), Size(7.1, 8.1, 8.1, 14.3, -6), Size(11.0, 10.4, 7.6, 13.8, -9),
         Size(10.5, 10.1, 7.1, 12.8, -11), Size(10.0, 9.5, 6.8, 10.8, -13))  # fmt: skip


@dataclass(frozen=True)
class Tooth:
    """One tooth in place. Heights h are measured from the neck: > 0 in the crown, < 0 in the root.

    (`x`, `y`) is the neck; (`mx`, `my`) points from mesial to distal, (`bx`, `by`) from the tongue to
    the cheek; `up` is +1 when the root points to the head. Lengths in mm.
    """

    fdi: int
    width: float
    depth: float
    crown: float
    root: float
    lean: float
    x: float
    y: float
    mx: float
    my: float
    bx: float
    by: float
    up: int
    z_neck: float
    is_implant: bool
    filling: Filling | None
    has_lesion: bool

    @property
    def is_upper(self) -> bool:
        """In the upper jaw."""
        return self.up > 0

    @property
    def has_root(self) -> bool:
        """A germ has none yet."""
        return self.root > 0

    @property
    def kind(self) -> int:
        """1 central incisor ... 8 wisdom tooth."""
        return self.fdi % 10

    def height(self, z: float) -> float:
        """Height above the neck, towards the biting edge, of the section at z."""
        return self.up * (self.z_neck - z)

    def axis(self, h: float) -> tuple[float, float]:
        """Where the leaning long axis meets the section at height h."""
        shift = (1.3 if self.is_upper else -0.9) + self.lean * (h if h > 0 else 0.9 * h)
        return self.x + shift * self.bx, self.y + shift * self.by


def interdental(sizes: tuple[Size, ...]) -> Array:
    """Arc lengths of the gaps between the teeth of one side, from the midline back."""
    return np.array(list(accumulate((size.mesiodistal + GAP_MM for size in sizes), initial=0.0)))


def teeth(findings: Findings, upper: Arch, lower: Arch, random: np.random.RandomState) -> list[Tooth]:
    """Every tooth that is there. Missing teeth use up their random numbers too.

    So two findings with the same seed differ only where they say they differ.
    """
    found = []
    for quadrant, arch, sizes in ((1, upper, UPPER), (2, upper, UPPER), (4, lower, LOWER), (3, lower, LOWER)):
        starts = interdental(sizes)
        for kind, size in enumerate(sizes, start=1):
            place = starts[kind - 1] + size.mesiodistal / 2
            tooth = _stand(quadrant * 10 + kind, size, arch, place, random.uniform(-1, 1, 6), findings)
            if tooth.fdi not in findings.missing:
                found.append(tooth)
    return found


def _stand(fdi: int, size: Size, arch: Arch, place: float, jitter: Array, findings: Findings) -> Tooth:
    side = 1.0 if fdi // 10 in (2, 3) else -1.0  # +1 is the patient's left
    up = 1 if fdi // 10 in (1, 2) else -1
    x, y, bx, by = (float(value) for value in arch.at(np.array(place)))
    turn = math.radians(4.0 * jitter[4])
    bx, by = math.cos(turn) * bx - math.sin(turn) * by, math.sin(turn) * bx + math.cos(turn) * by
    germ = fdi in findings.germs
    buried = (GERM_DEPTH_UPPER_MM if up > 0 else GERM_DEPTH_LOWER_MM) if germ else 0.0
    return Tooth(
        fdi=fdi,
        width=size.mesiodistal * (1 + 0.03 * jitter[0]),
        depth=size.buccolingual * (1 + 0.03 * jitter[1]),
        crown=size.crown,
        root=size.root * (1 + 0.04 * jitter[2]) * (not germ),
        lean=math.tan(math.radians(size.tilt_deg + 2.0 * jitter[3])),
        x=side * x, y=y, mx=-side * by, my=bx, bx=side * bx, by=by, up=up,
        z_neck=_biting_edge(fdi, up) + 0.25 * jitter[5] + up * (size.crown + buried),
        is_implant=fdi in findings.implants,
        filling=findings.filling(fdi),
        has_lesion=fdi in findings.lesions,
    )  # fmt: skip


def _biting_edge(fdi: int, up: int) -> float:
    """Height of the biting edge. Front teeth overlap: the upper ones close in front of the lower."""
    overlap = (-1.3 if up > 0 else 0.6) if fdi % 10 <= 3 else 0.0
    return 0.2 * up + overlap
