"""The blind indexes of a patient: under which values a sealed row is found again.

What the database learns is which rows of one practice share a value. A birth date is never indexed alone.

Source: security notes on searchable columns, docs/architecture.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from uuid import UUID

from portal.records.folding import digits_of, fold_chart_number, fold_name
from portal.records.models import Contact, Patient, SearchTerm
from portal.sealed.fields import blind_index

Field = SearchTerm.Field
PREFIX_MIN, PREFIX_MAX = 2, 8


def index_of(practice_id: UUID, field: str, normalised: str) -> bytes:
    """The value that stands in `SearchTerm.value` for a normalised text of this field."""
    return blind_index(practice_id, field, normalised)


def family_and_birthdate(family_name: str, birthdate: date) -> str:
    """The compound under which possible duplicates meet."""
    return f"{fold_name(family_name)}|{birthdate.isoformat()}"


def rewrite_terms(patient: Patient) -> None:
    """Make the patient's search terms anew, in the transaction that changed them."""
    patient.search_terms.all().delete()
    wanted = set(_terms(patient))
    SearchTerm.objects.bulk_create(
        SearchTerm(
            practice_id=patient.practice_id,
            patient=patient,
            field=field,
            value=index_of(patient.practice_id, field, text),
        )
        for field, text in sorted(wanted)
    )


def _terms(patient: Patient) -> Iterator[tuple[str, str]]:
    family = fold_name(patient.family_name)
    yield Field.FAMILY_NAME, family
    for length in range(PREFIX_MIN, PREFIX_MAX + 1):
        yield Field.FAMILY_PREFIX, family[:length]
    yield Field.FAMILY_AND_BIRTHDATE, family_and_birthdate(patient.family_name, patient.birthdate)
    if patient.chart_number:
        yield Field.CHART_NUMBER, fold_chart_number(patient.chart_number)
    for contact in patient.contacts.filter(kind=Contact.Kind.MOBILE):
        yield Field.PHONE, contact.value
        yield Field.PHONE_LAST4, digits_of(contact.value)[-4:]
