"""Making an ingest visible: rows, keys, entries and the end of the job, in one transaction."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Max

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.dicom.headers import Header
from portal.errors import Conflict
from portal.jobs.models import Job
from portal.jobs.run import Lease, LeaseLost
from portal.records.ingest.engine import Outcome, WrittenStudy
from portal.records.ingest.hold import HeldGroup
from portal.records.ingest.sorting import instance_index, stored_instances, study_index
from portal.records.ingest.titles import series_title, study_title
from portal.records.ingest.write import WrittenSeries
from portal.records.models import (
    Instance,
    Patient,
    RefusedFile,
    Series,
    Study,
    Upload,
    VaultPack,
)
from portal.sealed.keys import shred_study_key

MORE = "More images of a study that was already here: they are stored as its next part."
MODALITIES_MAX = 40


def commit_upload(upload: Upload, outcome: Outcome, *, actor: Actor, lease: Lease) -> None:
    """Show everything an upload led to, close it, destroy its key and end the job."""
    with transaction.atomic():
        patient = Patient.objects.select_for_update().get(pk=upload.patient_id)
        _refuse_if_stored_meanwhile(patient, outcome)
        studies = [_store(study, patient, upload, outcome, actor) for study in outcome.studies]
        for group in outcome.held:
            _hold(group, actor)
        _refuse(upload, outcome, actor)
        upload.studies.add(*studies, *outcome.sorted.known_studies)
        waiting = Upload.objects.filter(pk=upload.pk, state=Upload.State.WAITING)
        notices = outcome.sorted.notices
        if not waiting.update(state=Upload.State.DONE, finished_at=now(), notices=notices):
            raise LeaseLost
        shred_study_key(upload.practice_id, upload.pk)
        lease.finish(Job.State.DONE)


def store_all(upload: Upload, outcome: Outcome, *, actor: Actor) -> list[Study]:
    """The rows of every study of an outcome, in the caller's transaction."""
    patient = Patient.objects.select_for_update().get(pk=upload.patient_id)
    studies = [_store(study, patient, upload, outcome, actor) for study in outcome.studies]
    upload.studies.add(*studies, *outcome.sorted.known_studies)
    return studies


def _refuse_if_stored_meanwhile(patient: Patient, outcome: Outcome) -> None:
    """Another upload may have stored the same images since they were looked up: then look again, in a new run."""
    uids = [file.header.sop_instance_uid for study in outcome.studies for file in study.files]
    for start in range(0, len(uids), 500):
        indexes = [instance_index(patient.practice_id, uid) for uid in uids[start : start + 500]]
        if any(True for _ in stored_instances(patient.practice_id, indexes)):
            raise Conflict("Another upload of the same images has just ended. They are compared once more.")


def _store(study: WrittenStudy, patient: Patient, upload: Upload, outcome: Outcome, actor: Actor) -> Study:
    headers = [file.header for file in study.files]
    uid_index = study_index(patient.practice_id, study.uid)
    blob, length, sha256 = study.manifest
    row = Study(
        id=study.writer.study_id,
        practice_id=patient.practice_id,
        patient=patient,
        study_instance_uid=study.uid,
        uid_index=uid_index,
        part=_next_part(patient, uid_index),
        title=study_title(headers),
        study_date=_date(headers),
        modalities=_modalities(headers),
        manifest_blob=blob,
        manifest_length=length,
        manifest_sha256=sha256,
        file_count=len(headers),
        length_bytes=sum(written.length_bytes for written in study.series),
        created_by_id=upload.created_by_id,
        created_at=now(),
    )
    if row.part > 1:
        outcome.sorted.tell(MORE)
    row.save(force_insert=True)
    study.writer.key_slot.save(force_insert=True)
    for position, written in enumerate(study.series):
        _store_series(row, written, position)
    VaultPack.objects.bulk_create(
        VaultPack(name=name, practice_id=row.practice_id, study=row) for name in study.writer.packs
    )
    trail.record(
        "study.stored",
        actor=actor,
        patient=patient.pk,
        study=row.pk,
        upload=str(upload.pk),
        manifest_sha256=sha256,
        generation=row.generation,
        part=row.part,
        files=row.file_count,
        length_bytes=row.length_bytes,
    )
    return row


def _next_part(patient: Patient, uid_index: bytes) -> int:
    same = Study.objects.filter(patient=patient, practice_id=patient.practice_id, uid_index=uid_index)
    return (same.aggregate(last=Max("part"))["last"] or 0) + 1


def _store_series(study: Study, written: WrittenSeries, position: int) -> None:
    plan = written.plan
    first = plan.files[0].header
    series = Series.objects.create(
        id=plan.id,
        practice_id=study.practice_id,
        study=study,
        series_instance_uid=first.series_instance_uid,
        title=series_title(first),
        modality=first.modality[:16],
        kind=plan.shown.arrangement.kind if plan.shown else Series.Kind.OTHER,
        position=position,
        frame_count=len(plan.shown.frames) if plan.shown else 0,
        file_count=len(plan.files),
        length_bytes=written.length_bytes,
    )
    Instance.objects.bulk_create(
        Instance(
            id=instance,
            practice_id=study.practice_id,
            series=series,
            uid_index=instance_index(study.practice_id, file.header.sop_instance_uid),
            position=index,
        )
        for index, (instance, file) in enumerate(zip(plan.instance_ids, plan.files, strict=True))
    )


def _hold(group: HeldGroup, actor: Actor) -> None:
    group.row.created_at = now()
    group.row.save(force_insert=True)
    group.key_slot.save(force_insert=True)
    VaultPack.objects.create(name=group.row.pack, practice_id=group.row.practice_id, quarantined=group.row)
    trail.record(
        "study.quarantined",
        actor=actor,
        patient=group.row.patient_id,
        group=str(group.row.pk),
        cause=group.row.cause,
        files=group.row.file_count,
    )


def _refuse(upload: Upload, outcome: Outcome, actor: Actor) -> None:
    if not outcome.refused:
        return
    RefusedFile.objects.bulk_create(
        RefusedFile(
            practice_id=upload.practice_id,
            upload=upload,
            name=refusal.name,
            code=refusal.code,
            sentence=refusal.sentence,
        )
        for refusal in outcome.refused
    )
    codes: dict[str, Any] = dict(Counter(refusal.code for refusal in outcome.refused))
    trail.record("upload.refused", actor=actor, patient=upload.patient_id, upload=str(upload.pk), codes=codes)


def _modalities(headers: list[Header]) -> str:
    names = dict.fromkeys(header.modality for header in headers if header.modality)
    return ", ".join(names)[:MODALITIES_MAX]


def _date(headers: list[Header]) -> date | None:
    """The study's date; files of a study agree, or the first that can be read is taken."""
    for header in headers:
        for text in (header.study_date, header.acquisition_date, header.content_date):
            if found := _parsed(text):
                return found
    return None


def _parsed(text: str) -> date | None:
    digits = text.replace(".", "").replace("-", "")
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])) if len(digits) == 8 else None
    except ValueError:
        return None
