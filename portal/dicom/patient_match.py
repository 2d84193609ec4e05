"""Is this file the chart's patient? Names as people write them, birth dates as they are.

A file whose name or birth date isn't the chart's goes to quarantine. So that an accent, a capital or a second
given name doesn't send it there, names are folded before they are compared; the values themselves appear in no
message or log: a difference is told by its DICOM keyword.

Source: DICOM PS3.5 6.2.1.1 (components and component groups of a person name).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final

from portal.dicom.headers import Header

UNDECOMPOSED: Final = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
"""Letters that Unicode doesn't take apart into a base letter and a mark."""
SPELLED_OUT: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
"""How the same names are written by devices that know only A to Z."""


class Match(Enum):
    """Whether a file belongs to a chart; UNKNOWN when it doesn't say enough."""

    MATCH = "match"
    MISMATCH = "mismatch"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Comparison:
    """The verdict, and the keywords of what differs (MISMATCH) or is missing (UNKNOWN)."""

    match: Match
    differences: tuple[str, ...] = ()


@dataclass(frozen=True)
class PatientGroup:
    """Files that speak of the same person, by index."""

    indices: tuple[int, ...]


def same_patient(header: Header, name: str, birthdate: date | str) -> Comparison:
    """Compare a file with the chart's `name` ("Family^Given", component groups allowed) and `birthdate`."""
    told = {
        "PatientName": _same_name(header.patient_name, name),
        "PatientBirthDate": _same_date(header, birthdate),
    }
    different = tuple(keyword for keyword, same in told.items() if same is False)
    missing = tuple(keyword for keyword, same in told.items() if same is None)
    if different:
        return Comparison(Match.MISMATCH, different)
    return Comparison(Match.UNKNOWN, missing) if missing else Comparison(Match.MATCH)


def group_by_patient(headers: Sequence[Header]) -> list[PatientGroup]:
    """Files of one name and birth date together, in order of appearance; nameless ones by their patient ID."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for index, header in enumerate(headers):
        groups.setdefault(_key(header), []).append(index)
    return [PatientGroup(tuple(indices)) for indices in groups.values()]


def _key(header: Header) -> tuple[str, ...]:
    name = next((folded for group in _groups(header.patient_name) if (folded := _folded_whole(group))), "")
    born = _digits(header.patient_birth_date)
    return (name, born) if name or born else ("", "", header.patient_id)


def _same_date(header: Header, birthdate: date | str) -> bool | None:
    chart = birthdate.strftime("%Y%m%d") if isinstance(birthdate, date) else _digits(birthdate)
    told = _digits(header.patient_birth_date)
    return told == chart if told and chart else None


def _digits(text: str) -> str:
    """Old files write 1986.04.12."""
    return "".join(character for character in text if character.isdigit())


def _same_name(told: str, chart: str) -> bool | None:
    """Whether any writing of one name is the other; None when one of them is empty or has no given name."""
    answers = [_same_group(mine, theirs) for mine in _groups(told) for theirs in _groups(chart)]
    if True in answers:
        return True
    return False if False in answers else None


def _groups(name: str) -> list[str]:
    """Alphabetic, ideographic and phonetic writing."""
    return [group for group in name.split("=") if group.strip(" ^")]


def _same_group(told: str, chart: str) -> bool | None:
    if "^" not in told and " " in told.strip():
        return _has_all_words(told, chart)
    told_family, told_given = _parts(told)
    family, given = _parts(chart)
    if not _alike("".join(told_family), "".join(family)):
        return False
    if not told_given or not given:
        return None if told_given or given else True
    return _alike(told_given[0], given[0])


def _has_all_words(told: str, chart: str) -> bool:
    """A name without components, in any order: "Maria Garcia" holds the chart's family and first given name."""
    family, given = _parts(chart)
    words = told.replace(",", " ").split()
    return all(any(_alike(word, wanted) for word in words) for wanted in (*family, *given[:1]))


def _parts(name: str) -> tuple[list[str], list[str]]:
    """Words of the family name, and of given and middle names."""
    family, given, middle = (*name.split("^"), "", "")[:3]
    return family.split(), f"{given} {middle}".split()


def _alike(one: str, other: str) -> bool:
    return not set(_foldings(one)).isdisjoint(_foldings(other))


def _foldings(text: str) -> Iterator[str]:
    """Without case, accents, spaces and punctuation; once with each letter bare, once spelled out."""
    lowered = unicodedata.normalize("NFC", text.casefold())
    for spelled in (lowered, lowered.translate(SPELLED_OUT)):
        bare = unicodedata.normalize("NFKD", spelled.translate(UNDECOMPOSED))
        yield "".join(character for character in bare if character.isalnum())


def _folded_whole(group: str) -> str:
    return next(_foldings(group))
