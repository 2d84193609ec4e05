"""The cast: two practices and the people in and around them. Factories are functions.

Smile Dental: Olga (privacy officer), Omar (owner), Dana (front desk), Clara (clinician), Pat (patient).
Bright Dental: Mallory's practice. Mallory works at its front desk and is also the patient of a valid share there.
"""

from __future__ import annotations

import itertools
from datetime import date

import pytest
from django.test import Client

from portal.accounts.models import Role, TotpDevice, User
from portal.audit.actor import Actor, system
from portal.clock import now
from portal.practice.models import Agreement, BusinessAssociate, Practice
from portal.practice.open_practice import add_staff, open_practice
from portal.practice.terms import sealed_terms
from portal.records.models import Patient

PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


def make_practice(name: str = "Smile Dental", phone: str = "+1 555 010 0199") -> Practice:
    """A practice with its key."""
    return open_practice(name=name, phone=phone)


def make_staff(practice: Practice, role: Role, name: str = "Dana Desk", email: str | None = None) -> User:
    """A member of staff with a password and a confirmed authenticator."""
    user = User.objects.create_user(email or f"user{next(_numbers)}@smile.example", PASSWORD, name=name)
    add_staff(practice, user, role, actor=system(practice.pk))
    TotpDevice.objects.create(user=user, name="authenticator", confirmed=True, secret="00" * 20)
    return user


def make_agreement(associate: BusinessAssociate, **days: date) -> Agreement:
    """An agreement in force since long ago, without a document; `days` are its columns."""
    days = {"signed_on": date(2020, 1, 1), "starts_on": date(2020, 1, 1), "ends_on": date(2099, 1, 1), **days}
    agreement = Agreement(associate=associate, **days)
    agreement.terms = sealed_terms(agreement)
    agreement.save(force_insert=True)
    return agreement


def make_patient(
    practice: Practice,
    given_name: str = "Maria",
    family_name: str = "Garcia",
    birthdate: date = date(1986, 4, 12),
    chart_number: str | None = None,
) -> Patient:
    """A patient, without search terms (tests of search add them by `portal.records.patients`)."""
    return Patient.objects.create(
        practice=practice,
        given_name=given_name,
        family_name=family_name,
        birthdate=birthdate,
        chart_number=chart_number,
        created_at=now(),
    )


def actor_of(user: User) -> Actor:
    """The user as the trail names them."""
    membership = user.memberships.get()
    return Actor(
        kind="staff", practice=membership.practice_id, id=user.pk, role=membership.role, label=user.name
    )


def signed_in(user: User) -> Client:
    """A browser in which the user is signed in with password and second factor."""
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user)
    session = client.session
    session["otp_device_id"] = user.totpdevice_set.get().persistent_id
    moment = now().timestamp()
    session["started"] = session["seen"] = session["proved"] = moment
    session.save()
    return client


@pytest.fixture
def smile(db: None) -> Practice:
    return make_practice()


@pytest.fixture
def bright(db: None) -> Practice:
    return make_practice("Bright Dental", "+1 555 010 0142")


@pytest.fixture
def dana(smile: Practice) -> User:
    return make_staff(smile, Role.FRONT_DESK, "Dana Desk")


@pytest.fixture
def olga(smile: Practice) -> User:
    return make_staff(smile, Role.PRIVACY_OFFICER, "Olga Officer")


@pytest.fixture
def omar(smile: Practice) -> User:
    return make_staff(smile, Role.OWNER, "Omar Owner")


@pytest.fixture
def clara(smile: Practice) -> User:
    return make_staff(smile, Role.CLINICIAN, "Clara Clinician")


@pytest.fixture
def mallory(bright: Practice) -> User:
    return make_staff(bright, Role.FRONT_DESK, "Mallory Other")


@pytest.fixture
def pat(smile: Practice) -> Patient:
    return make_patient(smile)
