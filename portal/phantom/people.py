"""The invented patients of the demo. None of them exists.

Phone numbers lie in the range kept for fiction (555-0100 to 555-0199 of any area code).
Source: North American Numbering Plan, ATIS-0300115.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from portal.phantom.findings import Findings

WISDOM_TEETH = frozenset({18, 28, 38, 48})


@dataclass(frozen=True)
class Guardian:
    """The adult who may act for a child. `phone` is E.164."""

    family_name: str
    given_name: str
    relationship: str
    phone: str
    language: Literal["en", "es"]


@dataclass(frozen=True)
class InventedPatient:
    """A patient for the demo. `phone` is E.164; a child's is the guardian's."""

    family_name: str
    given_name: str
    birthdate: date
    sex: Literal["F", "M", "O"]
    chart_number: str
    phone: str
    language: Literal["en", "es"]
    guardian: Guardian | None = None
    findings: Findings = field(default_factory=Findings)

    @property
    def dicom_name(self) -> str:
        """The name as DICOM writes it (PS3.5 6.2.1): family, caret, given."""
        return f"{self.family_name}^{self.given_name}"


INVENTED: tuple[InventedPatient, ...] = (
    InventedPatient(
        "Garcia", "Maria", date(1986, 4, 12), "F", "SP-1001", "+12065550142", "es",
        findings=Findings(
            implants=frozenset({36}),
            missing=frozenset({18}),
            lesions=frozenset({45}),
            metal_crowns=frozenset({16}),
            root_canals=frozenset({11}),
            amalgams=frozenset({46}),
        ),
    ),
    InventedPatient(
        "Whitfield", "Harold", date(1951, 11, 3), "M", "SP-1002", "+12065550117", "en",
        findings=Findings(
            implants=frozenset({25, 36}),
            missing=WISDOM_TEETH | {14, 46},
            metal_crowns=frozenset({26}),
            root_canals=frozenset({44}),
            amalgams=frozenset({17, 37}),
        ),
    ),
    InventedPatient(
        "Nguyen", "Lily", date(2013, 8, 30), "F", "SP-1003", "+12065550163", "en",
        guardian=Guardian("Nguyen", "Anh", "mother", "+12065550163", "en"),
        findings=Findings(germs=WISDOM_TEETH, head_scale=0.9),
    ),
    InventedPatient(
        "Morales", "Diego", date(1998, 1, 29), "M", "SP-1004", "+12065550189", "es",
        findings=Findings(missing=frozenset({24}), amalgams=frozenset({26})),
    ),
)  # fmt: skip
