"""R31: the screen is with a patient: one study, no other name, and no way back without a code."""

from __future__ import annotations

import json
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.records.models import Patient, Study
from tests.cast import make_patient, signed_in
from tests.conftest import MovableClock
from tests.portal.accounts.steps import code_of
from tests.portal.test_who_may_do_what import PATTERNS, PUBLIC, RECIPIENT, STAFF, make_things
from tests.viewer.conftest import made_study

pytestmark = pytest.mark.django_db
PAGE = {"accept": "text/html"}


@pytest.fixture
def study(pat: Patient) -> Study:
    return made_study(pat).study


@pytest.fixture
def tablet(study: Study, clara: User) -> Client:
    client = signed_in(clara)
    answer = client.post(reverse("desk_hand_over", kwargs={"study": study.pk}))
    assert answer["Location"] == reverse("desk_study", kwargs={"study": study.pk})
    return client


def test_r31_the_study_opens_and_no_other_name_is_on_the_page(
    tablet: Client, study: Study, clara: User
) -> None:
    page = tablet.get(reverse("desk_study", kwargs={"study": study.pk}), headers=PAGE)
    assert page.status_code == 200
    said = page.content.decode()
    assert "Patients</a>" not in said
    assert clara.name not in said
    assert 'data-part="download"' not in said
    assert tablet.get(reverse("desk_study_manifest", args=[study.pk])).status_code == 200


def test_r31_every_other_address_of_the_desk_is_closed(
    tablet: Client, smile: object, omar: User, clara: User
) -> None:
    things = make_things(smile, omar)  # type: ignore[arg-type]
    open_still = {"stay", "idled_out", "confirm", "confirm_options", "confirm_with_passkey", "sign_out"}
    asked = 0
    for name, (roles, methods) in STAFF.items():
        if name in open_still or clara.memberships.get().role not in roles:
            continue
        answer = tablet.generic(next(iter(methods)), things.address(name), headers=PAGE)
        is_page = answer.status_code == 302 and answer["Location"].startswith("/account/confirm")
        assert is_page or answer.status_code == 403, name
        asked += 1
    assert asked > 30
    assert set(STAFF) | PUBLIC | RECIPIENT >= set(PATTERNS)


def test_r31_another_patients_study_is_closed_and_so_is_the_download(
    tablet: Client, study: Study, smile: object
) -> None:
    other = made_study(make_patient(smile, "Luis", "Diaz", date(1990, 1, 2))).study  # type: ignore[arg-type]
    for address in (
        reverse("desk_study_manifest", args=[other.pk]),
        reverse("desk_study_download", args=[study.pk]),
    ):
        refused = tablet.get(address)
        assert refused.status_code == 403
        assert json.loads(refused.content)["next"] == "/account/confirm"


def test_r31_a_code_gives_the_desk_back_and_leads_where_it_was_going(
    tablet: Client, pat: Patient, clara: User
) -> None:
    patient = reverse("patient", args=[pat.pk])
    asked = tablet.get(patient)["Location"]
    page = tablet.get(asked).content.decode()
    assert "Patients</a>" not in page
    assert tablet.post(asked, {"code": "000000", "next": patient}).status_code == 422
    assert tablet.get(patient).status_code == 302, "a wrong code opens nothing"
    assert tablet.post(asked, {"code": code_of(clara), "next": patient})["Location"] == patient
    assert "Patients</a>" in tablet.get(patient).content.decode()
    codes = AuditEntry.objects.filter(code__startswith="chairside").order_by("n")
    assert list(codes.values_list("code", flat=True)) == ["chairside.begun", "chairside.ended"]


def test_r31_a_fresh_code_from_before_does_not_count(tablet: Client, pat: Patient) -> None:
    """The session proved itself a minute ago, before the tablet was handed over."""
    assert tablet.get(reverse("patient", args=[pat.pk])).status_code == 302


def test_r31_nobody_hands_over_what_they_may_not_open(
    study: Study, mallory: User, olga: User, clara: User, clock: MovableClock
) -> None:
    address = reverse("desk_hand_over", kwargs={"study": study.pk})
    assert signed_in(mallory).post(address).status_code == 404
    assert signed_in(olga).post(address).status_code == 403
    clock.advance(days=31)
    unrelated = signed_in(clara).post(address, headers=PAGE)
    assert "/why" in unrelated["Location"]
    assert not AuditEntry.objects.filter(code="chairside.begun").exists()
