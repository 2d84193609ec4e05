"""Keys with a vendor that has no agreement: nothing new goes under them, what is stored opens, each day is told."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from portal.accounts.models import User
from portal.audit.actor import system
from portal.audit.models import AuditEntry
from portal.clock import now
from portal.compliance import access
from portal.errors import AccessDenied
from portal.practice import adapters, key_vendor
from portal.practice.models import Agreement, BusinessAssociate, Practice
from portal.records.models import Patient, Upload
from portal.records.patients import add_patient
from portal.records.uploads import start_upload
from portal.sealed.keys import practice_key, study_key
from tests.cast import actor_of, make_agreement, signed_in
from tests.conftest import MovableClock

pytestmark = pytest.mark.django_db


@pytest.fixture
def aws(settings: Any, smile: Practice) -> None:
    """The keys are AWS's, as far as agreements go; the key file of the tests does the work."""
    settings.KEY_PROVIDER = "aws-kms"


def agree(practice: Practice, *, days: int = 100) -> Agreement:
    associate = BusinessAssociate.objects.create(practice=practice, name="Amazon", adapter="aws-kms")
    return make_agreement(associate, ends_on=now().date() + timedelta(days=days))


def refusals() -> list[tuple[str, str]]:
    rows = AuditEntry.objects.filter(code="agreement.missing", outcome="refused").order_by("n")
    return [(row.practice_id, bytes(row.event).decode().split('"deed":"')[1].split('"')[0]) for row in rows]


def test_r19_nothing_new_goes_under_a_vendors_keys_without_an_agreement(
    pat: Patient, dana: User, smile: Practice, bright: Practice, aws: None
) -> None:
    client = signed_in(dana)
    with pytest.raises(AccessDenied, match="AWS KMS: keys, so nothing new"):
        start_upload(pat, actor=actor_of(dana))
    with pytest.raises(AccessDenied, match="What is stored still opens"):
        add_patient(
            practice_id=smile.pk,
            family_name="Doe",
            given_name="Jo",
            birthdate=date(1990, 1, 2),
            actor=actor_of(dana),
        )
    refused = client.post(reverse("uploads", args=[pat.pk]))
    assert refused.status_code == 403
    assert Upload.objects.count() == 0
    assert refusals() == [(smile.pk, "upload"), (smile.pk, "patient"), (smile.pk, "upload")]
    agree(bright)
    with pytest.raises(AccessDenied):
        start_upload(pat, actor=actor_of(dana))
    agree(smile)
    assert start_upload(pat, actor=actor_of(dana)).patient == pat


def test_r19_what_is_stored_opens_after_the_agreement_has_ended(
    pat: Patient, dana: User, smile: Practice, aws: None, clock: MovableClock
) -> None:
    agree(smile, days=10)
    upload = start_upload(pat, actor=actor_of(dana))
    clock.advance(days=12)
    assert study_key(smile.pk, upload.pk, 1).key
    assert practice_key(smile.pk)[1]
    assert signed_in(dana).get(reverse("patient", args=[pat.pk])).status_code == 200
    with pytest.raises(AccessDenied):
        start_upload(pat, actor=actor_of(dana))


@pytest.mark.parametrize("deed", ["rotate", "rewrap"])
def test_r19_no_key_is_turned_over_without_an_agreement_of_each_practice(
    smile: Practice, bright: Practice, aws: None, deed: str
) -> None:
    agree(smile)
    with pytest.raises(CommandError, match="no business associate agreement"):
        call_command("keyring", deed)
    with pytest.raises(CommandError, match="no business associate agreement"):
        call_command("keyring", deed, practice=bright.pk)
    assert refusals() == [(bright.pk, deed)] * 2


def test_r19_each_day_without_an_agreement_is_told_once(
    smile: Practice, bright: Practice, aws: None, clock: MovableClock
) -> None:
    agree(bright)
    assert (key_vendor.tell_each_day(), key_vendor.tell_each_day()) == (1, 0)
    clock.advance(hours=25)
    assert key_vendor.tell_each_day() == 1
    agree(smile)
    clock.advance(hours=25)
    assert key_vendor.tell_each_day() == 0
    told = AuditEntry.objects.filter(code="agreement.keys-without", outcome="failed")
    assert list(told.values_list("practice_id", flat=True)) == [smile.pk] * 2


def test_r18_pages_say_what_is_closed_and_what_is_not(olga: User, smile: Practice, aws: None) -> None:
    assert "Its keys open what is stored" in access.agreements(smile.pk).says
    page = signed_in(olga).get(reverse("connections")).content.decode()
    assert "what is stored still opens" in page
    assert "no new patients, images or keys are taken in" in page
    agree(smile)
    assert "Its keys" not in access.agreements(smile.pk).says


def test_r18_own_vault_is_nobody_elses_and_aws_is_never_own(settings: Any) -> None:
    settings.KEY_VENDOR = "own"
    settings.KEY_PROVIDER = "vault-transit"
    assert adapters.key_vendor() == ""
    settings.KEY_PROVIDER = "aws-kms"
    assert adapters.key_vendor() == "aws-kms"
    settings.KEY_PROVIDER = "file"
    assert adapters.key_vendor() == ""
    key_vendor.require_for_keys(uuid.uuid4(), deed="upload", actor=system(uuid.uuid4()))
