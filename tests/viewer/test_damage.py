"""Damaged, swapped and missing objects: a problem document and an entry in the trail, never a picture."""

from __future__ import annotations

import shutil

import pytest
from django.test import Client

from portal.audit.models import AuditEntry
from portal.records.models import Study
from tests.viewer.conftest import Stored, entry_of, flip, pack_path
from viewer.stored import open_study

pytestmark = pytest.mark.django_db


def assert_refused(stored: Stored, phone: Client, path: str, reason: str) -> None:
    answer = phone.get(path)
    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/problem+json"
    entry = AuditEntry.objects.get(code="vault.damaged")
    assert f'"reason":"{reason}"' in bytes(entry.event).decode()
    assert entry.outcome == "failed"


def test_a_flipped_bit_in_one_frame_refuses_the_whole_batch(stored: Stored, phone: Client) -> None:
    flip(entry_of(stored), 150)
    assert_refused(stored, phone, stored.frames("0-11"), "tag")


def test_the_other_frames_are_still_served(stored: Stored, phone: Client) -> None:
    flip(entry_of(stored), 150)
    assert phone.get(stored.frames("0-2,4-11")).status_code == 200


def test_a_flipped_bit_in_a_header_is_refused(stored: Stored, phone: Client) -> None:
    flip(entry_of(stored), 40)
    assert_refused(stored, phone, stored.frames("3"), "commitment")


def test_a_damaged_frame_is_no_slice_either(stored: Stored, phone: Client) -> None:
    flip(entry_of(stored), 150)
    assert_refused(stored, phone, f"{stored.root}/series/{stored.volume.id}/slices/3.webp", "tag")


def test_two_frames_exchanged_are_refused(stored: Stored, phone: Client) -> None:
    """Both open under the same key; each was sealed for its own place."""
    one, other = entry_of(stored, 3), entry_of(stored, 4)
    shorter, longer = sorted((one, other), key=lambda entry: entry.sealed_length)
    path = pack_path(one.pack)
    raw = bytearray(path.read_bytes())
    sealed = raw[shorter.offset : shorter.offset + shorter.sealed_length]
    raw[longer.offset : longer.offset + shorter.sealed_length] = sealed
    path.write_bytes(raw)
    assert phone.get(stored.frames(str(longer.index))).status_code == 503


def test_a_pack_of_another_study_in_its_place_is_refused(
    stored: Stored, theirs: Stored, phone: Client
) -> None:
    mine, foreign = entry_of(stored), entry_of(theirs)
    shutil.copyfile(pack_path(foreign.pack), pack_path(mine.pack))
    answer = phone.get(stored.frames("3"))
    assert answer.status_code == 503


def test_a_missing_pack_is_refused(stored: Stored, phone: Client) -> None:
    pack_path(entry_of(stored).pack).unlink()
    assert_refused(stored, phone, stored.frames("3"), "pack-missing")


def test_a_manifest_that_is_not_the_rows_is_refused(stored: Stored, phone: Client) -> None:
    Study.objects.filter(pk=stored.study.pk).update(manifest_sha256="0" * 64)
    assert_refused(stored, phone, f"{stored.root}/manifest.json", "manifest-hash")


def test_the_manifest_of_another_study_is_refused(stored: Stored, theirs: Stored, phone: Client) -> None:
    Study.objects.filter(pk=stored.study.pk).update(
        manifest_blob=theirs.study.manifest_blob,
        manifest_length=theirs.study.manifest_length,
        manifest_sha256=theirs.study.manifest_sha256,
    )
    assert phone.get(f"{stored.root}/manifest.json").status_code == 503


def test_a_dropped_frame_is_seen(stored: Stored, phone: Client) -> None:
    """A manifest without it has another hash, so the frame can only be cut out of the pack, and that is refused."""
    last = max(open_study(stored.study).manifest.select(kind="preview"), key=lambda entry: entry.offset)
    path = pack_path(last.pack)
    path.write_bytes(path.read_bytes()[: last.offset])
    assert_refused(stored, phone, f"{stored.root}/series/{stored.volume.id}/previews/sagittal.webp", "extent")
