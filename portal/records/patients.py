"""Adding a patient to the record and changing one: the row, how to reach them, how to find them, the entry."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import InvalidInput, NotFound
from portal.practice.key_vendor import require_for_keys
from portal.records.folding import fold_chart_number, fold_name, to_e164, to_email
from portal.records.guardians import majority_of, move_majority
from portal.records.models import Contact, Patient, SearchTerm
from portal.records.search_terms import Field, family_and_birthdate, index_of, rewrite_terms

OLDEST_YEARS = 130
NAME_MAX = 64  # DICOM PS3.5 6.2: a component group of a person name


def get_patient(practice_id: UUID, patient_id: UUID) -> Patient:
    """The practice's patient. Raises `NotFound` for anyone else's."""
    patient = Patient.objects.filter(practice_id=practice_id, pk=patient_id).first()
    if patient is None:
        raise NotFound
    return patient


def add_patient(
    *,
    practice_id: UUID,
    family_name: str,
    given_name: str,
    birthdate: date,
    chart_number: str | None = None,
    mobile: str | None = None,
    email: str | None = None,
    language: str = "en",
    actor: Actor,
    is_confirmed: bool = False,
) -> Patient:
    """Add a patient with contacts and search terms.

    Raises `InvalidInput(field=...)`. `field="is_confirmed"` means that a patient of this last name and birth date
    exists; with `is_confirmed` the desk has said that this is another person (or twins). Raises `AccessDenied` where
    whoever keeps the keys has no agreement.
    """
    require_for_keys(practice_id, deed="patient", actor=actor)
    patient = Patient(practice_id=practice_id, created_at=now())
    mobile_number = to_e164(mobile) if mobile and mobile.strip() else None
    address = to_email(email) if email and email.strip() else None
    with transaction.atomic():
        _fill(patient, family_name, given_name, birthdate, chart_number, language)
        if not is_confirmed:
            _refuse_look_alike(patient)
        patient.save(force_insert=True)
        _reach(patient, Contact.Kind.MOBILE, mobile_number)
        _reach(patient, Contact.Kind.EMAIL, address)
        rewrite_terms(patient)
        trail.record(
            "patient.added",
            actor=actor,
            patient=patient.pk,
            private={"name": patient.name},
            confirmed=is_confirmed,
        )
    return patient


def change_patient(
    patient: Patient,
    *,
    family_name: str,
    given_name: str,
    birthdate: date,
    chart_number: str | None = None,
    mobile: str | None = None,
    email: str | None = None,
    language: str = "en",
    actor: Actor,
    is_confirmed: bool = False,
) -> Patient:
    """Correct a patient's particulars; what stood there before is kept, sealed, in the trail.

    Raises like `add_patient`: a new last name or birth date may be somebody else's.
    """
    if patient.practice_id != actor.practice:
        raise NotFound
    who = family_and_birthdate(patient.family_name, patient.birthdate)
    majority = majority_of(patient.birthdate)
    before = {
        "name": patient.name,
        "birthdate": patient.birthdate.isoformat(),
        "chart": patient.chart_number or "",
    }
    mobile_number = to_e164(mobile) if mobile and mobile.strip() else None
    address = to_email(email) if email and email.strip() else None
    with transaction.atomic():
        _fill(patient, family_name, given_name, birthdate, chart_number, language)
        if not is_confirmed and family_and_birthdate(patient.family_name, patient.birthdate) != who:
            _refuse_look_alike(patient)
        patient.save()
        move_majority(patient, before=majority)
        _reach(patient, Contact.Kind.MOBILE, mobile_number)
        _reach(patient, Contact.Kind.EMAIL, address)
        rewrite_terms(patient)
        trail.record("patient.changed", actor=actor, patient=patient.pk, private={"before": before})
    return patient


def _fill(
    patient: Patient,
    family_name: str,
    given_name: str,
    birthdate: date,
    chart_number: str | None,
    language: str,
) -> None:
    patient.family_name = _name(family_name, "family_name", "Type the last name.")
    patient.given_name = _name(given_name, "given_name", "Type the first name.")
    patient.birthdate = _plausible(birthdate)
    patient.chart_number = (chart_number or "").strip() or None
    patient.language = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    _refuse_taken_chart_number(patient)


def _name(text: str, field: str, sentence: str) -> str:
    name = " ".join(text.split())
    if not fold_name(name):
        raise InvalidInput(sentence, field=field)
    if len(name) > NAME_MAX:
        raise InvalidInput(f"This name is longer than {NAME_MAX} letters. Please shorten it.", field=field)
    return name


def _plausible(birthdate: date) -> date:
    today = now().date()
    # A day ahead of UTC it is already tomorrow somewhere, and a child can be born there.
    if not today - timedelta(days=366 * OLDEST_YEARS) <= birthdate <= today + timedelta(days=1):
        raise InvalidInput(
            "This birth date can't be right. Please check day, month and year.", field="birthdate"
        )
    return birthdate


def _refuse_taken_chart_number(patient: Patient) -> None:
    if not patient.chart_number:
        return
    folded = fold_chart_number(patient.chart_number)
    if not folded:
        raise InvalidInput("A chart number has letters or digits.", field="chart_number")
    if _others_with(patient, Field.CHART_NUMBER, folded).exists():
        raise InvalidInput(
            "Another patient has this chart number. Search for it first.", field="chart_number"
        )


def _refuse_look_alike(patient: Patient) -> None:
    same = family_and_birthdate(patient.family_name, patient.birthdate)
    if _others_with(patient, Field.FAMILY_AND_BIRTHDATE, same).exists():
        raise InvalidInput(
            "A patient of this last name and birth date is already here. Search first, or say it is another person.",
            field="is_confirmed",
        )


def _others_with(patient: Patient, field: str, normalised: str):  # type: ignore[no-untyped-def]
    value = index_of(patient.practice_id, field, normalised)
    terms = SearchTerm.objects.filter(practice_id=patient.practice_id, field=field, value=value)
    return terms.exclude(patient_id=patient.pk)


def _reach(patient: Patient, kind: str, value: str | None) -> None:
    """Make `value` the patient's own contact of this kind, or remove it when there is none."""
    own = Contact.objects.filter(patient=patient, kind=kind, relationship=Contact.Relationship.SELF)
    contact = own.first()
    if value is None:
        own.delete()
        return
    if contact is None:
        contact = Contact(practice_id=patient.practice_id, patient=patient, kind=kind, created_at=now())
    contact.value = value
    contact.language = patient.language
    contact.save()


def forget_contact(patient: Patient, value: str) -> None:
    """Take a number or address that isn't the patient's off the chart, in the caller's transaction."""
    wrong = [row.pk for row in Contact.objects.filter(patient=patient) if row.value == value]
    if wrong:
        Contact.objects.filter(pk__in=wrong).delete()
        rewrite_terms(patient)
