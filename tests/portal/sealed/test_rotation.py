"""Turning keys over: everything stays readable at every moment, and an old key goes only when nothing needs it."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
from django.core.management import call_command

from portal.audit.models import AuditEntry
from portal.audit.verify import verify_all
from portal.errors import Conflict, InvalidInput, Sealed
from portal.records.models import Patient
from portal.sealed import keys, rotation
from portal.sealed.fields import blind_index
from portal.sealed.keys import INSTALLATION, create_study_key, forget_keys, practice_key, study_key
from portal.sealed.models import PracticeKey, StudyKey
from portal.vault.providers.file import FileProvider
from tests.cast import make_patient, make_practice
from tests.portal.sealed.killed_child import killed_at


def unwritten(practice: object, facts: dict[str, int]) -> None:
    """Write no entry: the trail has its own tests."""


@pytest.fixture
def keyring(tmp_path, settings):
    """A key file of the test's own."""
    settings.KEYRING_PATH = tmp_path / "keyring.json"
    forget_keys()
    return FileProvider.create(settings.KEYRING_PATH)


def _wrapped_under() -> set[int]:
    return set(PracticeKey.objects.values_list("kek_version", flat=True))


def test_r5_rotation_rewraps_every_practice_key_and_what_they_seal_still_opens(keyring, smile, bright):
    patient = make_patient(smile)
    before = {row.pk: practice_key(row.practice_id)[1] for row in PracticeKey.objects.all()}
    call_command("keyring", "rotate")
    assert _wrapped_under() == {1}, "rotating alone changes no row"
    call_command("keyring", "rewrap")
    assert _wrapped_under() == {2}
    forget_keys()
    assert {row.pk: practice_key(row.practice_id)[1] for row in PracticeKey.objects.all()} == before
    assert Patient.objects.get(pk=patient.pk).family_name == "Garcia"


def test_every_rewrapped_practice_has_it_in_its_trail_and_a_second_run_does_nothing(keyring, smile, bright):
    keyring.rotate()
    assert sum(1 for _ in rotation.rewrap(note=unwritten)) == 3
    assert sum(1 for _ in rotation.rewrap(note=unwritten)) == 0
    keyring.rotate()
    call_command("keyring", "rewrap")
    entries = AuditEntry.objects.filter(code="keyring.rewrapped").values_list("practice_id", flat=True)
    assert set(entries) == {smile.pk, bright.pk, INSTALLATION}
    assert all(verdict.finding is None for verdict in verify_all())


def test_retire_refuses_while_a_row_needs_the_version_and_always_the_active_one(keyring, smile):
    keyring.rotate()
    with pytest.raises(Conflict, match="2 practice keys are wrapped under it"):
        rotation.retire(1)
    list(rotation.rewrap(note=unwritten))
    with pytest.raises(Conflict):
        rotation.retire(2)
    rotation.retire(1)
    assert keyring.versions() == {2}
    assert practice_key(smile.pk)
    with pytest.raises(Sealed):
        rotation.retire(1)


def _is_in_a_backup(version: int) -> list[str]:
    return ["The backup of 1 November needs it until 6 December."] if version == 1 else []


def test_retire_asks_everybody_who_may_need_the_version(keyring, smile, monkeypatch):
    monkeypatch.setattr(rotation, "NEEDERS", (f"{__name__}._is_in_a_backup",))
    keyring.rotate()
    list(rotation.rewrap(note=unwritten))
    with pytest.raises(Conflict, match="1 November"):
        rotation.retire(1)
    keyring.rotate()
    list(rotation.rewrap(note=unwritten))
    rotation.retire(2)
    assert keyring.versions() == {1, 3}


def test_a_version_that_is_gone_seals_what_it_wrapped(keyring, smile):
    keyring.rotate()
    keyring.retire(1)
    forget_keys()
    with pytest.raises(Sealed):
        practice_key(smile.pk)


def test_a_row_that_changed_between_reading_and_writing_is_left_to_the_other(keyring, smile, monkeypatch):
    keyring.rotate()
    provider = keys.provider()
    wrap = type(provider).wrap

    def slow(self, key, aad):
        PracticeKey.objects.update(kek_version=2)
        return wrap(self, key, aad)

    monkeypatch.setattr(type(provider), "wrap", slow)
    assert list(rotation.rewrap(note=unwritten)) == []


# --- a practice's own key ------------------------------------------------------------------------------------------


def test_a_new_practice_key_seals_what_is_new_and_the_old_opens_what_was(keyring, smile):
    old = make_patient(smile)
    dek = create_study_key(smile.pk, patient=old.pk, study=(study := uuid4()))
    index = blind_index(smile.pk, "phone", "+15550100199")
    call_command("keyring", "rotate", f"--practice={smile.pk}")
    new = make_patient(smile, "Ana", "Lopez", date(1990, 1, 2))
    call_command("keyring", "rewrap", f"--practice={smile.pk}")
    forget_keys()
    assert StudyKey.objects.get(study_id=study).practice_key_version == 2
    assert study_key(smile.pk, study, 1) == dek, "the key itself stays, so no object is touched"
    assert [Patient.objects.get(pk=one.pk).family_name for one in (old, new)] == ["Garcia", "Lopez"]
    assert blind_index(smile.pk, "phone", "+15550100199") == index, "what was indexed before is found after"
    codes = AuditEntry.objects.filter(practice_id=smile.pk, code__startswith="keyring.")
    assert list(codes.order_by("n").values_list("code", flat=True)) == [
        "keyring.practice-key-changed",
        "keyring.study-keys-rewrapped",
    ]


def test_the_installations_own_key_is_never_changed(keyring, smile):
    with pytest.raises(Conflict, match="every link"):
        rotation.rotate_practice_key(INSTALLATION, note=unwritten)


# --- killed at any moment ------------------------------------------------------------------------------------------


def _turn_over() -> None:
    """What an operator does in a year: a new key, everything under it, the oldest gone."""
    call_command("keyring", "rotate", verbosity=0)
    call_command("keyring", "rewrap")
    provider = keys.provider()
    for version in sorted(provider.versions())[:-1]:
        call_command("keyring", "retire", str(version))


def test_resumes_after_kill_nine_at_every_step(keyring, transactional_db):
    """The file's and the database's steps of a whole rotation, one after another the last one it takes."""
    practices = [make_practice(f"Practice {number}") for number in range(2)]
    plain = {one.pk: practice_key(one.pk)[1] for one in practices}
    step = 0
    while killed_at(step, _turn_over):
        forget_keys()
        assert {one.pk: practice_key(one.pk)[1] for one in practices} == plain, f"closed after step {step}"
        step += 1
    assert step >= 20, "the steps were not counted"
    call_command("keyring", "rewrap")
    assert _wrapped_under() == {keys.provider().active_version()}
    assert len(keys.provider().versions()) == 1, "the last run retired all that came before"
    assert all(verdict.finding is None for verdict in verify_all())


def test_study_keys_resume_after_kill_nine_at_every_step(keyring, transactional_db):
    practice = make_practice()
    patient, studies = uuid4(), [uuid4() for _ in range(5)]
    deks = {study: create_study_key(practice.pk, patient=patient, study=study) for study in studies}
    call_command("keyring", "rotate", f"--practice={practice.pk}")
    step = 0
    while killed_at(step, lambda: call_command("keyring", "rewrap", f"--practice={practice.pk}")):
        forget_keys()
        assert {study: study_key(practice.pk, study, 1) for study in studies} == deks
        step += 1
    assert step >= 2
    assert set(StudyKey.objects.values_list("practice_key_version", flat=True)) == {2}


def test_a_provider_that_makes_its_keys_elsewhere_says_so(smile, settings, tmp_path):
    (tmp_path / "credentials").write_text("{}")
    settings.KEY_PROVIDER, settings.KMS_REGION = "aws-kms", "us-east-1"
    settings.KMS_KEYS, settings.KMS_CREDENTIALS_PATH = {"1": "arn:one"}, tmp_path / "credentials"
    forget_keys()
    with pytest.raises(InvalidInput, match="as version 2"):
        keys.provider().rotate()
