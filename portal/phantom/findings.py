"""What a dentist would chart: teeth that are gone, replaced, filled or still to come.

Teeth are named by ISO 3950 (FDI) numbers: first digit the quadrant (1 upper right, 2 upper left,
3 lower left, 4 lower right, as the patient has them), second digit counted from the midline.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

NONE: frozenset[int] = frozenset()


class Filling(StrEnum):
    """Work that changes how a tooth looks on an X-ray."""

    AMALGAM = "amalgam"
    METAL_CROWN = "metal crown"
    ROOT_CANAL = "root canal"


@dataclass(frozen=True)
class Findings:
    """One mouth.

    `germs` are teeth whose crown is formed but still lies in the bone, `lesions` teeth with a dark spot
    at the tip of a root. `head_scale` is the size of the head against an adult's (1.0).
    """

    implants: frozenset[int] = NONE
    missing: frozenset[int] = NONE
    germs: frozenset[int] = NONE
    lesions: frozenset[int] = NONE
    amalgams: frozenset[int] = NONE
    metal_crowns: frozenset[int] = NONE
    root_canals: frozenset[int] = NONE
    head_scale: float = 1.0

    def filling(self, fdi: int) -> Filling | None:
        """The work done on a tooth, if any."""
        if fdi in self.amalgams:
            return Filling.AMALGAM
        if fdi in self.metal_crowns:
            return Filling.METAL_CROWN
        return Filling.ROOT_CANAL if fdi in self.root_canals else None
