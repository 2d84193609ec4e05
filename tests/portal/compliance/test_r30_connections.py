"""R30: what the images take up, and what the practice is connected to, read from the running system."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.urls import reverse

from portal.accounts.models import User
from portal.clock import now
from portal.compliance import connections
from portal.practice import associates
from portal.practice.models import Practice
from portal.records.models import Patient, Study, Upload, UploadedFile, UploadPart
from portal.records.usage import usage_of
from tests.cast import actor_of, make_agreement, make_patient, signed_in
from tests.conftest import MovableClock
from tests.sharing.conftest import make_study

pytestmark = pytest.mark.django_db


def sized(patient: Patient, length_bytes: int) -> Study:
    study = make_study(patient)
    Study.objects.filter(pk=study.pk).update(length_bytes=length_bytes, file_count=3)
    return study


def test_r30_storage_is_counted_for_each_practice_alone(
    pat: Patient, smile: Practice, bright: Practice, clock: MovableClock
) -> None:
    sized(pat, 1000)
    sized(make_patient(bright), 77)
    clock.advance(days=31)
    sized(pat, 500)
    gone = sized(pat, 9999)
    Study.objects.filter(pk=gone.pk).update(state=Study.State.DELETED)
    upload = Upload.objects.create(practice=smile, patient=pat, created_at=now(), touched_at=now())
    file = UploadedFile.objects.create(practice=smile, upload=upload, name="a.dcm", length=64, offset=64)
    UploadPart.objects.create(file=file, index=0, offset=0, length=64, blob="0" * 32)
    told = usage_of(smile.pk)
    assert (told.studies, told.files, told.length_bytes, told.lately_bytes) == (2, 6, 1500, 500)
    assert told.arriving_bytes == 64
    assert usage_of(bright.pk).length_bytes == 77


def test_r30_empty_practice_uses_nothing(smile: Practice) -> None:
    assert usage_of(smile.pk).length_bytes == usage_of(smile.pk).arriving_bytes == 0


def test_r30_page_names_each_way_out_and_closes_those_without_an_agreement(
    olga: User, settings: Any, pat: Patient
) -> None:
    settings.GATEWAY, settings.TWILIO_ACCOUNT = "twilio", "AC1"
    sized(pat, 3 * 1024 * 1024)
    client = signed_in(olga)
    page = client.get(reverse("connections")).content.decode()
    assert "3.0\xa0MB" in page
    assert "No agreement is in force, so nothing goes there" in page
    twilio = associates.add_associate(name="Texts Inc", adapter="twilio", actor=actor_of(olga))
    today: date = now().date()
    associates.add_agreement(
        twilio,
        signed_on=today,
        starts_on=today,
        ends_on=today + timedelta(days=300),
        document=b"%PDF-1.7",
        actor=actor_of(olga),
    )
    page = client.get(reverse("connections")).content.decode()
    assert "An agreement is in force." in page
    assert reverse("connections") in client.get(reverse("compliance")).content.decode()


def test_r30_bucket_is_closed_without_its_keepers_agreement(
    smile: Practice, olga: User, settings: Any
) -> None:
    assert connections._backups(smile.pk).is_ready is None
    settings.BACKUP_TARGET = "s3://clinic/smile?endpoint=https://store.example.com"
    settings.BACKUP_VENDOR = "s3"
    closed = connections._backups(smile.pk)
    assert (closed.says, closed.is_ready) == ("To the bucket clinic (store.example.com).", False)
    make_agreement(associates.add_associate(name="Store", adapter="s3", actor=actor_of(olga)))
    assert connections._backups(smile.pk).is_ready is True
    settings.BACKUP_TARGET, settings.BACKUP_VENDOR = "/mnt/backups", ""
    assert connections._backups(smile.pk) == connections.Connection("Backups", "To a folder.", True)
