"""Adding and changing patients."""

from __future__ import annotations

from datetime import date

import pytest

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.errors import InvalidInput, NotFound
from portal.practice.models import Practice
from portal.records.models import Contact, Patient
from portal.records.patients import add_patient, change_patient, get_patient
from portal.records.search import find_patients
from tests.cast import actor_of


def add(practice: Practice, user: User, **changes: object) -> Patient:
    """A patient as the desk enters one."""
    entered = {
        "family_name": "García",
        "given_name": "María",
        "birthdate": date(1986, 4, 12),
        "chart_number": "SP-000101",
        "mobile": "(212) 555-0142",
        "email": "maria@example.org",
        **changes,
    }
    return add_patient(practice_id=practice.pk, actor=actor_of(user), **entered)  # type: ignore[arg-type]


def test_a_patient_is_added_with_contacts_and_an_entry_in_the_trail(smile: Practice, dana: User) -> None:
    patient = add(smile, dana)
    contacts = {contact.kind: contact.value for contact in patient.contacts.all()}
    assert contacts == {"mobile": "+12125550142", "email": "maria@example.org"}
    entry = AuditEntry.objects.get(code="patient.added")
    assert entry.patient_id == patient.pk
    assert b"Garc" not in bytes(entry.event)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("family_name", "  "),
        ("family_name", "x" * 65),
        ("given_name", "-"),
        ("birthdate", date(1850, 1, 1)),
        ("birthdate", date(2999, 1, 1)),
        ("mobile", "call me"),
        ("mobile", "12"),
        ("email", "not an address"),
        ("chart_number", "--"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    smile: Practice, dana: User, field: str, value: object
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        add(smile, dana, **{field: value})
    assert refusal.value.details["field"] == field
    assert not Patient.objects.exists()
    assert not Contact.objects.exists()


def test_a_chart_number_is_given_once_in_a_practice(
    smile: Practice, bright: Practice, dana: User, mallory: User
) -> None:
    add(smile, dana)
    with pytest.raises(InvalidInput) as refusal:
        add(smile, dana, family_name="Other", chart_number="sp 000101")
    assert refusal.value.details["field"] == "chart_number"
    assert add(bright, mallory).chart_number == "SP-000101"


def test_a_look_alike_is_added_only_when_the_desk_says_it_is_another_person(
    smile: Practice, dana: User
) -> None:
    add(smile, dana)
    twin = {
        "given_name": "Elena",
        "family_name": "GARCIA ",
        "chart_number": None,
        "mobile": None,
        "email": None,
    }
    with pytest.raises(InvalidInput) as refusal:
        add(smile, dana, **twin)
    assert refusal.value.details["field"] == "is_confirmed"
    assert add(smile, dana, is_confirmed=True, **twin).given_name == "Elena"


def test_a_changed_patient_is_found_under_the_new_name_only(smile: Practice, dana: User) -> None:
    patient = add(smile, dana)
    change_patient(
        patient,
        family_name="Lopez",
        given_name="María",
        birthdate=patient.birthdate,
        chart_number=patient.chart_number,
        mobile="+1 212 555 0177",
        email=None,
        actor=actor_of(dana),
    )
    assert find_patients(smile.pk, "garcia") == []
    assert find_patients(smile.pk, "0142") == []
    assert find_patients(smile.pk, "lop") == [patient]
    assert find_patients(smile.pk, "0177") == [patient]
    assert not patient.contacts.filter(kind="email").exists()


def test_another_practices_patient_is_not_found(smile: Practice, dana: User, bright: Practice) -> None:
    patient = add(smile, dana)
    with pytest.raises(NotFound):
        get_patient(bright.pk, patient.pk)
