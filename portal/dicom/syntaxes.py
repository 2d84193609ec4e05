"""Transfer syntaxes: how each stores its elements, and which decoder its pictures need.

Source: DICOM PS3.5 annex A; PS3.6 annex A for the UIDs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Family = Literal["native", "rle", "jpeg", "jpeg-ls", "jpeg-2000", "unknown"]

IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
RLE: Final = "1.2.840.10008.1.2.5"
JPEG: Final = "1.2.840.10008.1.2.4."


@dataclass(frozen=True)
class Syntax:
    """One transfer syntax; `family` names the decoder, `unknown` is kept but not shown."""

    uid: str
    family: Family
    is_implicit: bool = False
    is_little_endian: bool = True
    is_deflated: bool = False

    @property
    def is_encapsulated(self) -> bool:
        """Whether the picture is a sequence of compressed fragments."""
        return self.family != "native"


_NATIVE: Final = (
    Syntax(IMPLICIT, "native", is_implicit=True),
    Syntax(EXPLICIT, "native"),
    Syntax(DEFLATED, "native", is_deflated=True),
    Syntax(BIG_ENDIAN, "native", is_little_endian=False),
)
_FAMILIES: Final[dict[Family, tuple[str, ...]]] = {
    "jpeg": ("50", "51", "53", "55", "57", "70"),
    "jpeg-ls": ("80", "81"),
    "jpeg-2000": ("90", "91", "201", "202", "203"),
}

KNOWN: Final[dict[str, Syntax]] = {
    **{syntax.uid: syntax for syntax in _NATIVE},
    RLE: Syntax(RLE, "rle"),
    **{JPEG + end: Syntax(JPEG + end, family) for family, ends in _FAMILIES.items() for end in ends},
}


def syntax_of(uid: str) -> Syntax:
    """The syntax of `uid`; an unknown one reads like explicit little endian, and its picture isn't shown."""
    return KNOWN.get(uid) or Syntax(uid, "unknown")
