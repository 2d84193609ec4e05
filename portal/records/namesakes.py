"""Patients of the same name: the desk must not take one for the other.

Source: patient identification by two identifiers, as practised for medical records (name and birth date).
"""

from __future__ import annotations

from typing import Literal

from portal.records.folding import fold_name
from portal.records.models import Patient, SearchTerm
from portal.records.search_terms import Field, index_of

Likeness = Literal["none", "name", "name-and-birthdate"]


def likeness_of(patient: Patient) -> Likeness:
    """Whether another patient of the practice has this name, or this name and this birth date."""
    others = _of_this_name(patient)
    if any(other.birthdate == patient.birthdate for other in others):
        return "name-and-birthdate"
    return "name" if others else "none"


def _of_this_name(patient: Patient) -> list[Patient]:
    family, given = fold_name(patient.family_name), fold_name(patient.given_name)
    terms = SearchTerm.objects.filter(
        practice_id=patient.practice_id,
        field=Field.FAMILY_NAME,
        value=index_of(patient.practice_id, Field.FAMILY_NAME, family),
    )
    same_family = Patient.objects.filter(pk__in=terms.values("patient_id")).exclude(pk=patient.pk)
    return [other for other in same_family if fold_name(other.given_name) == given]
