"""Who acts for a patient: noted with the papers that were seen, until a day, and found again when a share is made.

Source: 45 CFR 164.502(g)(3) (parents and guardians of minors), 164.514(h) (verifying who they are).
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import Conflict, InvalidInput, NotFound
from portal.records.folding import fold_name, to_e164, to_email
from portal.records.models import Contact, Patient
from portal.records.rights import Guardianship
from portal.records.search_terms import rewrite_terms
from portal.records.written_words import written_words

ADULT_YEARS: Final = 18


def majority_of(birthdate: date) -> date:
    """The 18th birthday; of someone born on 29 February, 1 March."""
    year = birthdate.year + ADULT_YEARS
    try:
        return birthdate.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def is_adult(patient: Patient) -> bool:
    """Whether the patient has come of age, where the practice is."""
    return majority_of(patient.birthdate) <= now().astimezone(ZoneInfo(patient.practice.time_zone)).date()


def add_guardian(
    patient: Patient,
    *,
    kind: str,
    name: str,
    documents: str,
    ends_on: date | None = None,
    mobile: str = "",
    email: str = "",
    language: str = "en",
    actor: Actor,
) -> Guardianship:
    """Note who may act for the patient, and how to reach them.

    Without `ends_on` it ends on the 18th birthday; an adult's representative has no end of itself.
    Raises `InvalidInput` (with `field`).
    """
    if patient.practice_id != actor.practice or actor.id is None:
        raise NotFound
    ends_on = _checked_end(patient, kind, ends_on)
    guardianship = Guardianship(
        practice_id=patient.practice_id,
        patient=patient,
        kind=kind,
        name=written_words(name, "name", "Enter the name of the parent or guardian."),
        documents=written_words(documents, "documents", "Write down which papers you saw."),
        ends_on=ends_on,
        verified_by_id=actor.id,
        created_at=now(),
    )
    ways = {
        Contact.Kind.MOBILE: to_e164(mobile) if mobile.strip() else "",
        Contact.Kind.EMAIL: to_email(email) if email.strip() else "",
    }
    with transaction.atomic():
        guardianship.save(force_insert=True)
        for way, value in ways.items():
            if value:
                _reach(guardianship, way, value, language)
        rewrite_terms(patient)  # the desk finds a child by its mother's number
        trail.record(
            "guardian.added",
            actor=actor,
            patient=patient.pk,
            private={"guardian": guardianship.name, "documents": guardianship.documents},
            kind=kind,
        )
    return guardianship


def _checked_end(patient: Patient, kind: str, ends_on: date | None) -> date | None:
    if kind not in Guardianship.Kind.values:
        raise InvalidInput("Choose one of the options.", field="kind")
    if is_adult(patient):
        if kind != Guardianship.Kind.REPRESENTATIVE:
            raise InvalidInput(
                "The patient is an adult. Only a personal representative can act.", field="kind"
            )
    else:
        majority = majority_of(patient.birthdate)
        ends_on = ends_on or majority
        if kind != Guardianship.Kind.REPRESENTATIVE and ends_on > majority:
            raise InvalidInput("A parent or guardian acts until the 18th birthday.", field="ends_on")
    if ends_on is not None and ends_on <= now().date():
        raise InvalidInput("Choose a day that lies ahead.", field="ends_on")
    return ends_on


def _reach(guardianship: Guardianship, kind: str, value: str, language: str) -> None:
    Contact.objects.create(
        practice_id=guardianship.practice_id,
        patient=guardianship.patient,
        kind=kind,
        relationship=Contact.Relationship.GUARDIAN,
        name=guardianship.name,
        value=value,
        language=language,
        created_at=now(),
    )


def move_majority(patient: Patient, *, before: date) -> None:
    """The birth date was corrected: who acts until the 18th birthday acts until the right one."""
    after = majority_of(patient.birthdate)
    for row in Guardianship.objects.filter(patient=patient, ended_at=None):
        if after != before == row.ends_on:
            row.ends_on = after
            row.save(update_fields=["ends_on"])


def end_guardianship(guardianship: Guardianship, *, actor: Actor) -> None:
    """They act no longer; what was shared with them is ended by `sharing.guardians`. Raises `Conflict` when over."""
    if guardianship.practice_id != actor.practice or actor.id is None:
        raise NotFound
    with transaction.atomic():
        if not Guardianship.objects.filter(pk=guardianship.pk, ended_at=None).update(
            ended_at=now(), ended_by_id=actor.id
        ):
            raise Conflict("This has ended already.")
        trail.record("guardian.ended", actor=actor, patient=guardianship.patient_id)


def last_moment(guardianship: Guardianship) -> datetime | None:
    """When access stops: the first moment of the last day, where the practice is."""
    if guardianship.ends_on is None:
        return None
    zone = ZoneInfo(guardianship.practice.time_zone)
    return datetime.combine(guardianship.ends_on, time.min, zone)


def stands(guardianship: Guardianship) -> bool:
    """Whether they act for the patient now."""
    last = last_moment(guardianship)
    return guardianship.ended_at is None and (last is None or now() < last)


def guardians_of(patient: Patient) -> list[Guardianship]:
    """Who acts for the patient now."""
    rows = Guardianship.objects.filter(patient=patient, ended_at=None).select_related("practice")
    return [row for row in rows.order_by("created_at") if stands(row)]


def guardian_named(patient: Patient, name: str) -> Guardianship:
    """The guardian of this name. Raises `InvalidInput` when nobody noted who that is."""
    for row in guardians_of(patient):
        if fold_name(row.name) == fold_name(name):
            return row
    raise InvalidInput(
        "First note who this parent or guardian is and which papers you saw, under “Guardians and holds”.",
        field="recipient_name",
    )
