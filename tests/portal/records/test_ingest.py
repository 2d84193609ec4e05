"""From files to a study: stored once, whole, in order; refused files named; nothing in plain."""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.db import connection
from pydicom import dcmread

from portal.audit.actor import system
from portal.audit.models import AuditEntry
from portal.audit.verify import verify
from portal.clock import now
from portal.dicom.frames import decode_item
from portal.errors import Conflict, StorageFull
from portal.jobs.models import Job
from portal.jobs.run import Lease, LeaseLost, claim, run
from portal.practice.models import Practice
from portal.records.ingest import engine, ingest_upload
from portal.records.ingest.commit import commit_upload
from portal.records.ingest.sources import SpoolSource
from portal.records.leftovers import delete_leftovers
from portal.records.models import Instance, Patient, QuarantinedGroup, Study, Upload, UploadPart, VaultPack
from portal.records.upload_status import describe
from portal.records.vault import spool, vault
from portal.sealed.models import StudyKey
from portal.vault.context import NIL
from portal.vault.disk import UnfinishedFile
from tests.cast import make_patient
from tests.portal.records.scans import Scan, Stored, dicom, ingested, sent, series, taken, zipped

TEXT_REPORT = "1.2.840.10008.5.1.4.1.1.88.11"
SCAN = Scan(study_uid="1.2.3.100", series_uid="1.2.3.100.1")


@pytest.fixture
def maria(smile: Practice) -> Patient:
    return make_patient(smile)


def test_a_folder_of_slices_becomes_one_volume_in_order_of_place(maria: Patient) -> None:
    files = series(SCAN, 6)
    upload = taken(maria, dict(reversed(files.items())))
    study = upload.studies.get()
    row = study.series.get()
    assert (row.kind, row.frame_count, row.file_count) == ("volume", 6, 6)
    assert (study.study_date, study.modalities, study.part) == (date(2026, 3, 12), "CT", 1)
    stored = Stored(study)
    assert stored.originals() == list(files.values())
    document = json.loads(stored.read(stored.manifest.find(NIL, "document")))
    shown = document["series"][0]
    assert (shown["slope"], shown["unit"], shown["spacing_mm"]) == (1.0, "HU", [1.0, 1.0, 1.0])
    for number in range(6):
        entry = stored.manifest.find(row.pk, "frame", level=0, index=number)
        pixels = decode_item(stored.read(entry), 24, 24, 1, 2)
        noise = np.random.default_rng(number + 1).integers(0, 3000, (24, 24), np.uint16)
        assert np.array_equal(pixels * shown["slope"] + shown["intercept"], noise - 1000.0)


def test_the_originals_are_bound_by_their_hashes_and_the_manifest_by_the_trail(maria: Patient) -> None:
    preamble = bytes(range(128))
    received = preamble + dicom(SCAN)[128:]
    study = taken(maria, {"a": received}).studies.get()
    stored = Stored(study)
    (entry,) = stored.manifest.select(kind="original")
    kept = stored.read(entry)
    assert kept == bytes(128) + received[128:]
    assert entry.extra["crc32"] == zlib.crc32(kept)
    assert entry.extra["sha256"] == hashlib.sha256(kept).hexdigest()
    assert entry.extra["received_sha256"] == hashlib.sha256(received).hexdigest()
    event = json.loads(bytes(AuditEntry.objects.get(code="study.stored").event))
    assert event["facts"]["manifest_sha256"] == study.manifest_sha256
    assert verify(study.practice_id).finding is None


def test_a_zip_and_a_folder_give_the_same_study(smile: Practice) -> None:
    files = series(SCAN, 4)
    one, other = make_patient(smile), make_patient(smile, "Maria", "Garcia", date(1986, 4, 12))
    first = taken(one, files).studies.get()
    assert Stored(first).originals() == list(files.values())
    Instance.objects.all().delete()
    second = taken(
        other, {"scan.zip": zipped({f"DICOM/{name}": data for name, data in files.items()})}
    ).studies.get()
    assert Stored(second).originals() == Stored(first).originals()


def test_after_the_ingest_the_spool_is_empty_and_its_key_destroyed(maria: Patient) -> None:
    delete_leftovers(older_than_s=0)
    upload = taken(maria, {"a": dicom(SCAN)})
    assert not UploadPart.objects.exists()
    assert list(spool().names()) == []
    assert not StudyKey.objects.filter(study_id=upload.pk).exists()
    assert set(VaultPack.objects.values_list("name", flat=True)) >= set(
        Stored(upload.studies.get()).manifest.packs()
    )


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("notes.txt", b"these are my notes, not an image of anything", "not-dicom"),
        ("report.pdf", b"%PDF-1.7 " + b"x" * 500, "not-dicom"),
        ("viewer.exe", b"MZ" + b"\0" * 500, "not-dicom"),
        ("empty.dcm", b"", "empty"),
        ("cut.dcm", dicom(SCAN)[:-300], "truncated"),
        ("broken.zip", b"PK\x03\x04" + b"\0" * 200, "zip-damaged"),
        ("inner.zip", zipped({"inner.zip": zipped({"a": b"x"})}), "zip-nested"),
        ("slip.zip", zipped({"../../etc/passwd": b"x"}), "zip-path"),
    ],
)
def test_a_file_that_is_not_taken_is_named_with_a_sentence(
    maria: Patient, name: str, data: bytes, code: str
) -> None:
    upload = taken(maria, {name: data, "good": dicom(SCAN)})
    refused = upload.refused.get()
    assert refused.code == code
    assert name in refused.name
    assert refused.sentence.endswith(".")
    assert upload.studies.count() == 1
    assert describe(upload)["sentence"] == "The images are stored. One file was not taken."


def test_nothing_taken_is_said_and_no_error(maria: Patient) -> None:
    upload = taken(maria, {"notes.txt": b"nothing of use here"})
    assert (upload.state, describe(upload)["sentence"]) == (
        Upload.State.DONE,
        "Nothing new was stored. One file was not taken.",
    )


def test_what_every_disc_carries_is_skipped_without_a_word(maria: Patient) -> None:
    disc = {"DICOMDIR": b"junk", "__MACOSX/._IM1": b"junk", "Thumbs.db": b"junk", ".DS_Store": b"junk"}
    upload = taken(maria, {"disc.zip": zipped({**disc, "IM1": dicom(SCAN)})})
    assert not upload.refused.exists()
    assert upload.studies.count() == 1


def test_f4_the_same_images_again_are_linked_and_not_stored_twice(maria: Patient) -> None:
    files = series(SCAN, 3)
    study = taken(maria, files).studies.get()
    packs = set(vault().names())
    again = taken(maria, {"again.zip": zipped(files)})
    assert list(again.studies.all()) == [study]
    assert again.notices == ["Images that were already here were recognised and not stored twice."]
    assert set(vault().names()) == packs


def test_more_images_of_a_study_become_its_next_part(maria: Patient) -> None:
    files = series(SCAN, 5)
    first = taken(maria, dict(list(files.items())[:3])).studies.get()
    more = taken(maria, files)
    second = more.studies.exclude(pk=first.pk).get()
    assert (first.part, second.part, second.file_count) == (1, 2, 2)
    assert first in more.studies.all()
    assert "More images of a study that was already here: they are stored as its next part." in more.notices


def test_f4_the_same_image_with_other_content_is_held(maria: Patient) -> None:
    taken(maria, {"a": dicom(SCAN, uid="1.2.3.100.1.1", seed=1)})
    upload = taken(maria, {"a": dicom(SCAN, uid="1.2.3.100.1.1", seed=2)})
    assert upload.studies.count() == 0
    assert upload.quarantined.get().cause == QuarantinedGroup.Cause.OTHER_BYTES


def test_an_image_of_another_chart_is_held(smile: Practice, maria: Patient) -> None:
    file = dicom(SCAN)
    taken(maria, {"a": file})
    upload = taken(make_patient(smile), {"a": file})
    assert upload.quarantined.get().cause == QuarantinedGroup.Cause.OTHER_CHART


def test_one_image_sent_twice_in_one_go_is_stored_once(maria: Patient) -> None:
    file = dicom(SCAN)
    upload = taken(maria, {"a": file, "b": file})
    assert upload.studies.get().file_count == 1
    assert upload.notices == ["The same image came more than once and was stored once."]


def test_f2_a_foreign_patients_file_in_a_zip_goes_to_quarantine_and_the_rest_goes_on(maria: Patient) -> None:
    foreign = Scan(name="Miller^Ann", birthdate="19700101", study_uid="1.2.3.200")
    files = {**series(SCAN, 3), "foreign": dicom(foreign)}
    upload = taken(maria, {"scan.zip": zipped(files)})
    assert upload.studies.get().file_count == 3
    group = upload.quarantined.get()
    assert (group.cause, group.file_count, group.state) == (QuarantinedGroup.Cause.OTHER_PATIENT, 1, "held")
    assert group.header["patient_name"] == "Miller^Ann"
    assert group.header["differences"] == ["PatientBirthDate", "PatientName"]
    assert json.loads(bytes(AuditEntry.objects.get(code="study.quarantined").event))["facts"]["files"] == 1


@pytest.mark.parametrize(
    ("name", "birthdate", "is_held"),
    [
        ("Garcia^Maria", "19860412", False),
        ("GARCIA^MARIA^ELENA", "19860412", False),
        ("Garcia^Maria", "", False),
        ("", "19860412", False),
        ("", "", False),
        ("Garcia^Elena", "19860412", True),
        ("Garcia^Maria", "19860413", True),
        ("", "19860413", True),
        ("Smith^Ann", "", True),
    ],
)
def test_f3_a_name_or_date_that_differs_is_held_and_one_that_is_missing_is_told(
    maria: Patient, name: str, birthdate: str, is_held: bool
) -> None:
    upload = taken(maria, {"a": dicom(Scan(name=name, birthdate=birthdate))})
    assert upload.quarantined.exists() is is_held
    is_told = bool(upload.notices)
    assert is_told is (not is_held and not (name and birthdate)), [row.code for row in upload.refused.all()]


def test_a_localizer_beside_the_slices_is_a_series_of_its_own(maria: Patient) -> None:
    side = {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1], "ImagePositionPatient": [0, 0, 0]}
    files = {**series(SCAN, 4), "scout": dicom(SCAN, number=9, **side)}
    rows = taken(maria, files).studies.get().series.order_by("position")
    assert [(row.kind, row.frame_count) for row in rows] == [("volume", 4), ("image", 1)]


def test_tooth_x_rays_are_shown_one_by_one(maria: Patient) -> None:
    scan = Scan(study_uid="1.2.3.300", series_uid="1.2.3.300.1", modality="IO")
    rows = taken(maria, series(scan, 3)).studies.get().series.all()
    assert [row.kind for row in rows] == ["image"] * 3


def test_a_file_without_a_picture_is_kept_listed_and_not_shown(maria: Patient) -> None:
    scan = Scan(study_uid="1.2.3.400", modality="SR")
    file = dicom(scan, without=("PixelData", "Rows", "Columns"), SOPClassUID=TEXT_REPORT)
    study = taken(maria, {"a": file, "b": dicom(SCAN, StudyInstanceUID="1.2.3.400")}).studies.get()
    stored = Stored(study)
    document = json.loads(stored.read(stored.manifest.select(kind="document")[0]))
    assert [other["reason"] for other in document["others"]] == [
        "This file has no picture. It is in the download."
    ]
    assert study.series.filter(kind="other").get().file_count == 1
    assert file in stored.originals()


def test_ended_twice_it_is_stored_once(maria: Patient) -> None:
    upload = sent(maria, {"a": dicom(SCAN)})
    job = Job.objects.get(subject_id=upload.pk)
    ingested(upload)
    assert run(job.pk) is False
    Job.objects.update(state=Job.State.QUEUED)
    assert run(job.pk) is True
    assert Study.objects.count() == 1


def test_a_worker_that_lost_its_lease_commits_nothing(maria: Patient) -> None:
    upload = sent(maria, {"a": dicom(SCAN)})
    job = claim(Job.objects.get(subject_id=upload.pk).pk)
    assert job is not None
    Job.objects.update(lease_token=None)
    with pytest.raises(LeaseLost):
        ingest_upload(upload.pk, Lease(job))
    assert not Study.objects.exists()
    assert not StudyKey.objects.exclude(study_id=upload.pk).exists()
    assert delete_leftovers(older_than_s=0) > 0
    assert list(vault().names()) == []


def test_a_damaged_part_fails_the_job_with_a_sentence_and_shows_nothing(maria: Patient) -> None:
    upload = sent(maria, series(SCAN, 3))
    path = Path(settings.SPOOL_DIR, UploadPart.objects.first().blob[:2], UploadPart.objects.first().blob)  # type: ignore[union-attr]
    path.chmod(0o600)
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    run(Job.objects.get(subject_id=upload.pk).pk)
    assert not Study.objects.exists()
    assert Job.objects.get().state == Job.State.QUEUED
    assert "failed its safety check" in describe(upload)["sentence"]


def test_a_full_disk_is_waited_for(maria: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = sent(maria, series(SCAN, 3))
    job = Job.objects.get(subject_id=upload.pk)

    def full(*args: object) -> None:
        raise StorageFull

    with monkeypatch.context() as patch:
        patch.setattr(UnfinishedFile, "write", full)
        run(job.pk)
    assert not Study.objects.exists()
    assert "The disk is full" in describe(upload)["sentence"]
    Job.objects.update(not_before=now())
    assert ingested(upload).studies.get().file_count == 3


def test_two_uploads_of_the_same_images_at_once_store_them_once(maria: Patient) -> None:
    files = series(SCAN, 3)
    slow, fast = sent(maria, files), sent(maria, files)
    job = claim(Job.objects.get(subject_id=slow.pk).pk)
    assert job is not None
    with Lease(job) as lease:
        outcome = engine.run(SpoolSource(slow), patient=maria, upload=slow, lease=lease)
        ingested(fast)
        with pytest.raises(Conflict):
            commit_upload(slow, outcome, actor=system(maria.practice_id), lease=lease)
    Job.objects.filter(pk=job.pk).update(state=Job.State.QUEUED)
    assert ingested(slow).studies.get() == fast.studies.get()
    assert Study.objects.count() == 1


def test_frames_of_one_file_are_shown_in_order_of_place(maria: Patient, data_dir: Path) -> None:
    """An Enhanced CT whose frames lie from head to foot is turned over, frame by frame."""
    dataset = dcmread(data_dir / "cbct_synthetic_enhanced" / "enhanced_ct.dcm")
    dataset.PatientName, dataset.PatientBirthDate = "Garcia^Maria", "19860412"
    frames = list(dataset.PerFrameFunctionalGroupsSequence)
    pixels = dataset.pixel_array.copy()
    order = np.random.default_rng(1).permutation(len(frames))
    dataset.PerFrameFunctionalGroupsSequence = [frames[index] for index in order]
    dataset.PixelData = pixels[order].tobytes()
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    study = taken(maria, {"shuffled": buffer.getvalue()}).studies.get()
    row, stored = study.series.get(), Stored(study)
    assert row.kind == "volume"
    shown = json.loads(stored.read(stored.manifest.find(NIL, "document")))["series"][0]
    for number in (0, 1, 37, 74):
        item = stored.read(stored.manifest.find(row.pk, "frame", index=number))
        frame = decode_item(item, shown["Rows"], shown["Columns"], 1, shown["sample_bytes"])
        assert np.array_equal(frame - frame.min(), pixels[number] - pixels[number].min())


def test_packs_in_use_are_not_swept(maria: Patient) -> None:
    delete_leftovers(older_than_s=0)
    study = taken(maria, {"a": dicom(SCAN), "b": dicom(Scan(name="Other^One"))}).studies.get()
    assert delete_leftovers(older_than_s=0) == 0
    assert Stored(study).originals()


def test_no_name_uid_or_pixel_stands_in_plain(maria: Patient) -> None:
    taken(maria, {"GARCIA.dcm": dicom(SCAN, StudyDescription="PLANTED-DESCRIPTION"), "x": b"junk"})
    stored = b"".join(path.read_bytes() for path in Path(settings.VAULT_DIR).rglob("*") if path.is_file())
    rows = _every_cell()
    for planted in (b"GARCIA", b"Garcia", b"19860412", b"1.2.3.100", b"PLANTED", b"DICM"):
        assert planted not in stored
        assert planted not in rows


def _every_cell() -> bytes:
    cells = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            cells += [repr(row).encode() for row in cursor.fetchall()]
    return b"\n".join(cells)
