"""Finding a patient as the desk types: last name, phone number, its last four digits, or the chart number.

The search runs over blind indexes; nobody's row is opened but those of the hits.
"""

from __future__ import annotations

from itertools import islice
from uuid import UUID

import phonenumbers
from django.conf import settings
from django.db.models import Q

from portal.records.folding import digits_of, fold_chart_number, fold_name
from portal.records.models import Patient, SearchTerm
from portal.records.search_terms import PREFIX_MAX, PREFIX_MIN, Field, index_of

HITS_MAX = 20
# How many of one last name are opened to hold the first name against them: some milliseconds of work.
OPENED_MAX = 1000
RECENT = 10
TEXT_MAX = 80


def find_patients(practice_id: UUID, text: str) -> list[Patient]:
    """At most 20 patients for what was typed, by name.

    "Garcia", "gar", "Garcia Maria", "Garcia, Maria", "0142", "(555) 010-0142", "SP-000101"; of one letter only a
    whole last name.
    """
    wanted = text.strip()[:TEXT_MAX]
    terms = _terms(wanted)
    if not terms:
        return []
    question = Q()
    for field, normalised in terms:
        question |= Q(field=field, value=index_of(practice_id, field, normalised))
    ids = SearchTerm.objects.filter(question, practice_id=practice_id).values("patient_id")
    patients = Patient.objects.filter(practice_id=practice_id, pk__in=ids).order_by("-created_at")
    # Held against what was typed before they are counted: among many of one name the wanted one may be the oldest.
    opened = patients[:OPENED_MAX].iterator(chunk_size=100)
    agreeing = (patient for patient in opened if _agrees(patient, wanted))
    return sorted(islice(agreeing, HITS_MAX), key=_by_name)


def recent_patients(practice_id: UUID) -> list[Patient]:
    """The ten patients added last."""
    return list(Patient.objects.filter(practice_id=practice_id).order_by("-created_at")[:RECENT])


def _terms(text: str) -> set[tuple[str, str]]:
    terms: set[tuple[str, str]] = set()
    for candidate in (text, *_words(text)):
        folded = fold_name(candidate)
        if folded.isdigit():
            continue
        if len(folded) >= PREFIX_MIN:
            terms.add((Field.FAMILY_PREFIX, folded[:PREFIX_MAX]))
        elif folded:
            terms.add((Field.FAMILY_NAME, folded))
    if chart := fold_chart_number(text):
        terms.add((Field.CHART_NUMBER, chart))
    return terms | _phone_terms(text)


def _phone_terms(text: str) -> set[tuple[str, str]]:
    digits = digits_of(text)
    if any(letter.isalpha() for letter in text) or len(digits) < 4:
        return set()
    if len(digits) == 4:
        return {(Field.PHONE_LAST4, digits)}
    try:
        number = phonenumbers.parse(text, settings.PHONE_REGION)
    except phonenumbers.NumberParseException:
        return set()
    return {(Field.PHONE, str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)))}


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _agrees(patient: Patient, text: str) -> bool:
    """Whether a hit still fits when all that was typed is held against the open row."""
    if any(character.isdigit() for character in text):
        return True
    whole, family, given = fold_name(text), fold_name(patient.family_name), fold_name(patient.given_name)
    if family.startswith(whole):
        return True
    names = (
        family,
        given,
        *map(fold_name, patient.family_name.split()),
        *map(fold_name, patient.given_name.split()),
    )
    return all(any(name.startswith(fold_name(word)) for name in names) for word in _words(text))


def _by_name(patient: Patient) -> tuple[str, str, str]:
    return fold_name(patient.family_name), fold_name(patient.given_name), patient.birthdate.isoformat()
