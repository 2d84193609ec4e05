"""Destroying a study: by two people, for good, and with everything that showed it."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from portal.accounts.models import Role
from portal.audit.models import AuditEntry
from portal.audit.verify import verify
from portal.errors import AccessDenied, Conflict, NotFound, Sealed
from portal.records import shredding
from portal.records.models import Study, VaultPack
from portal.records.rights import AccessRequest
from portal.records.shredding_rows import Shredding
from portal.records.vault import vault
from portal.sealed.keys import forget_keys, study_key
from portal.sealed.models import StudyKey
from sharing.destruction import destroy
from sharing.models import Share
from tests.cast import actor_of, make_staff, signed_in
from tests.viewer.conftest import made_study


@pytest.fixture
def study(pat, omar) -> Study:
    return made_study(pat).study


@pytest.fixture
def wish(study, omar) -> Shredding:
    return shredding.ask(study, reason="Taken of the wrong person", actor=actor_of(omar))


def test_asking_destroys_nothing_and_can_be_taken_back(wish, study, omar, olga):
    assert study_key(study.practice_id, study.pk, 1)
    with pytest.raises(Conflict, match="already"):
        shredding.ask(study, reason="Once more", actor=actor_of(olga))
    shredding.withdraw(wish, actor=actor_of(omar))
    with pytest.raises(Conflict, match="decided already"):
        destroy(wish, actor=actor_of(olga))
    assert shredding.ask(study, reason="Now really", actor=actor_of(olga)).state == "asked"


def test_whoever_asked_can_not_agree_not_even_past_the_verb(wish, omar):
    with pytest.raises(AccessDenied, match="two people"):
        destroy(wish, actor=actor_of(omar))
    with pytest.raises(IntegrityError), transaction.atomic():
        Shredding.objects.filter(pk=wish.pk).update(state="done", decided_by=omar)


def test_the_second_persons_word_destroys_key_packs_and_shares(
    wish, study, olga, django_capture_on_commit_callbacks
):
    packs = list(VaultPack.objects.filter(study=study).values_list("name", flat=True))
    other = make_staff(study.practice, Role.OWNER, "Oscar Other")
    assert packs
    assert set(packs) <= set(vault().names())
    with django_capture_on_commit_callbacks(execute=True):
        destroy(wish, actor=actor_of(olga))
    assert not StudyKey.objects.filter(study_id=study.pk).exists()
    with pytest.raises(Sealed, match="destroyed"):
        study_key(study.practice_id, study.pk, 1)
    assert not set(packs) & set(vault().names())
    assert Study.objects.get(pk=study.pk).state == "deleted"
    with pytest.raises(Conflict, match="decided already"):
        destroy(wish, actor=actor_of(other))


def test_what_was_open_is_closed_with_the_next_batch_and_the_share_has_ended(study, pat, omar, olga, clara):
    from tests.portal.test_who_may_do_what import make_things

    things = make_things(study.practice, omar)
    AccessRequest.objects.all().delete()
    client = signed_in(clara)
    frames = reverse("desk_series_frames", args=[things.study.pk, things.series.pk, 0, "0-1"])
    assert client.get(frames).status_code == 200
    destroy(things.shredding, actor=actor_of(olga))
    assert client.get(frames).status_code == 404
    assert Share.objects.get(pk=things.share.pk).revoked_at is not None


def test_the_trail_names_the_study_and_both_people_and_still_verifies(wish, study, olga, omar):
    destroy(wish, actor=actor_of(olga))
    entries = AuditEntry.objects.filter(study_id=study.pk, code__startswith="study.shred").order_by("n")
    assert [(entry.code, entry.actor_id) for entry in entries] == [
        ("study.shredding-asked", omar.pk),
        ("study.shredded", olga.pk),
    ]
    assert b"wrong person" not in b"".join(bytes(entry.event) for entry in entries)
    assert verify(study.practice_id).finding is None


def test_the_certificate_says_what_by_whom_and_from_when_on_for_good(wish, study, olga):
    destroy(wish, actor=actor_of(olga))
    client = signed_in(olga)
    page = client.get(reverse("shred_certificate", args=[wish.pk])).content.decode()
    entry = AuditEntry.objects.get(code="study.shredded")
    for words in (
        "Maria Garcia",
        "Omar Owner",
        "Olga Officer",
        study.manifest_sha256,
        bytes(entry.hash).hex()[:16],
    ):
        assert words in page, words
    wish.refresh_from_db()
    assert (wish.certificate["key_slots"], wish.certificate["files"]) == (1, study.file_count)
    assert wish.certificate["final_on"] > wish.decided_at.date().isoformat()


def test_images_somebody_has_asked_a_copy_of_are_not_destroyed(wish, study, olga):
    AccessRequest.objects.create(
        practice=study.practice,
        patient=study.patient,
        requested_by="Maria Garcia",
        wanted="All images",
        received_on="2026-11-01",
        due_on="2026-12-01",
        created_by=olga,
        created_at=wish.asked_at,
    )
    with pytest.raises(Conflict, match="Answer that request"):
        destroy(wish, actor=actor_of(olga))
    assert study_key(study.practice_id, study.pk, 1)


def test_nobody_of_another_practice_can_ask_or_agree(wish, study, mallory):
    with pytest.raises(NotFound):
        shredding.ask(study, reason="Mine now", actor=actor_of(mallory))
    with pytest.raises(NotFound):
        destroy(wish, actor=actor_of(mallory))
    assert study_key(study.practice_id, study.pk, 1)


def test_if_the_entry_can_not_be_written_nothing_is_destroyed(wish, study, olga, monkeypatch):
    def broken(*args, **named):
        raise RuntimeError("the trail is locked")

    monkeypatch.setattr(shredding.trail, "record", broken)
    with pytest.raises(RuntimeError):
        destroy(wish, actor=actor_of(olga))
    forget_keys()
    assert study_key(study.practice_id, study.pk, 1)
    assert Study.objects.get(pk=study.pk).state == "stored"


def test_the_pages_walk_from_the_record_to_the_certificate(study, olga, omar):
    asking, agreeing = signed_in(omar), signed_in(olga)
    assert "Destroy…" in asking.get(reverse("patient", args=[study.patient_id])).content.decode()
    asking.post(reverse("ask_shredding", args=[study.pk]), {"reason": "Kept longer than the law asks"})
    wish = Shredding.objects.get()
    page = asking.get(reverse("shreddings")).content.decode()
    assert "somebody else has to agree" in page
    assert "destroy the images" not in page
    assert asking.post(reverse("agree_shredding", args=[wish.pk])).status_code == 403
    assert "Agree: destroy the images" in agreeing.get(reverse("shreddings")).content.decode()
    done = agreeing.post(reverse("agree_shredding", args=[wish.pk]), follow=True)
    assert "Certificate of destruction" in done.content.decode()
