"""Which teeth an X-ray shows, and where its place is on the tooth chart.

Teeth are told by two digits (ISO 3950, "FDI"): the quarter of the mouth, then the place counted from the middle.
Read from codes and their meaning only, never guessed from a description: "14" is a premolar in Europe and a front
tooth in the United States.

Source: DICOM PS3.3 C.8.18 (intra-oral), 10.5; PS3.16 CID 4018-4020.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pydicom.dataset import Dataset

from portal.dicom.elements import items, text

UPPER_RIGHT, UPPER_LEFT, LOWER_LEFT, LOWER_RIGHT = 1, 2, 3, 4
QUARTERS: Final = {
    ("upper", "right"): UPPER_RIGHT,
    ("upper", "left"): UPPER_LEFT,
    ("lower", "left"): LOWER_LEFT,
    ("lower", "right"): LOWER_RIGHT,
}
KINDS: Final = {
    "central incisor": 1,
    "lateral incisor": 2,
    "canine": 3,
    "first premolar": 4,
    "second premolar": 5,
    "first molar": 6,
    "second molar": 7,
    "third molar": 8,
}
JAWS: Final = {"maxillary": "upper", "upper": "upper", "mandibular": "lower", "lower": "lower"}
NUMBERED: Final = re.compile(r"[1-4][1-8]|[5-8][1-5]")
MOST_TEETH: Final = 32

UPPER_ROW, BITE_ROW, LOWER_ROW, UNKNOWN_ROW = range(4)


def teeth_of(dataset: Dataset) -> tuple[int, ...]:
    """The teeth a picture is coded for, sorted; empty where it doesn't say."""
    found = set()
    for structure in items(dataset, "PrimaryAnatomicStructureSequence")[:MOST_TEETH]:
        tooth = _tooth(structure)
        if tooth:
            found.add(tooth)
    return tuple(sorted(found))


def _tooth(structure: Dataset) -> int:
    value, scheme = text(structure, "CodeValue"), text(structure, "CodingSchemeDesignator")
    if scheme.upper().startswith(("ISO", "FDI")) and NUMBERED.fullmatch(value):
        return int(value)
    words = text(structure, "CodeMeaning").lower()
    sides = [
        text(each, "CodeMeaning").lower()
        for each in items(structure, "PrimaryAnatomicStructureModifierSequence")
    ]
    return tooth_named(" ".join([words, *sides]))


def tooth_named(words: str) -> int:
    """The number of a tooth named in English, such as "Structure of maxillary right first molar tooth"; 0 if none."""
    jaw = next((place for word, place in JAWS.items() if word in words), "")
    side = next((side for side in ("right", "left") if side in words), "")
    kind = next((number for name, number in KINDS.items() if name in words), 0)
    quarter = QUARTERS.get((jaw, side), 0)
    if not quarter or not kind:
        return 0
    is_milk = "deciduous" in words or "primary" in words
    if not is_milk:
        return quarter * 10 + kind
    kind = (
        kind - 2 if kind >= 6 else kind
    )  # milk teeth have no premolars: their molars stand fourth and fifth
    return (quarter + 4) * 10 + kind if kind <= 5 else 0


def chart_place(teeth: Sequence[int]) -> tuple[int, float]:
    """(row, how far to the right of the chart): upper teeth, bitewings, lower teeth, then what isn't known.

    The chart is seen from the front, so the patient's right is on its left.
    """
    if not teeth:
        return UNKNOWN_ROW, 0.0
    quarters = [(tooth // 10 - 1) % 4 + 1 for tooth in teeth]
    rows = {UPPER_ROW if quarter in (UPPER_RIGHT, UPPER_LEFT) else LOWER_ROW for quarter in quarters}
    across = [
        -(tooth % 10) if quarter in (UPPER_RIGHT, LOWER_RIGHT) else tooth % 10
        for tooth, quarter in zip(teeth, quarters, strict=True)
    ]
    return (BITE_ROW if len(rows) > 1 else rows.pop()), sum(across) / len(across)
