"""Patients of the same name: the desk must not take one for the other.

Source: patient identification by two identifiers, as practised for medical records (name and birth date).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from portal.records.folding import fold_name
from portal.records.models import Patient, SearchTerm
from portal.records.search_terms import Field, index_of

Likeness = Literal["none", "name", "name-and-birthdate"]


def likeness_of(patient: Patient) -> Likeness:
    """Whether another patient of the practice has this name, or this name and this birth date."""
    return likenesses_of(patient.practice_id, [patient])[patient.pk]


def likenesses_of(practice: UUID, patients: Sequence[Patient]) -> dict[UUID, Likeness]:
    """The same of many patients of one practice, by their ids, in one question."""
    indexes = {patient.pk: _index_of(practice, patient) for patient in patients}
    terms = SearchTerm.objects.filter(
        practice_id=practice, field=Field.FAMILY_NAME, value__in=set(indexes.values())
    )
    families: dict[bytes, list[Patient]] = defaultdict(list)
    for term in terms.select_related("patient"):
        families[bytes(term.value)].append(term.patient)
    return {patient.pk: _likeness(patient, families[indexes[patient.pk]]) for patient in patients}


def _index_of(practice: UUID, patient: Patient) -> bytes:
    return index_of(practice, Field.FAMILY_NAME, fold_name(patient.family_name))


def _likeness(patient: Patient, family: list[Patient]) -> Likeness:
    given = fold_name(patient.given_name)
    others = [one for one in family if one.pk != patient.pk and fold_name(one.given_name) == given]
    if any(other.birthdate == patient.birthdate for other in others):
        return "name-and-birthdate"
    return "name" if others else "none"
