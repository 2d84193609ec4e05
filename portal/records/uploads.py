"""An upload from its start to its end: opened on a patient's page, filled file by file, finished or discarded.

The bytes themselves come in through `portal.records.receive`; what they turn into is decided by the ingest job.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum

from portal.audit import trail
from portal.audit.actor import Actor, system
from portal.clock import now
from portal.errors import Conflict, InvalidInput, NotFound
from portal.jobs.models import Job
from portal.jobs.queue import enqueue
from portal.practice.key_vendor import require_for_keys
from portal.records.models import Patient, Upload, UploadedFile
from portal.records.spool import GENERATION, check_room, wipe
from portal.records.vault import spool
from portal.sealed.keys import create_study_key, shred_study_key

State = Upload.State
ENDED = (State.DONE, State.FAILED, State.DISCARDED)
JOB = "ingest"


def get_upload(practice_id: UUID, upload_id: UUID) -> Upload:
    """The practice's upload. Raises `NotFound` for anyone else's."""
    upload = Upload.objects.select_related("patient").filter(practice_id=practice_id, pk=upload_id).first()
    if upload is None:
        raise NotFound
    return upload


def start_upload(patient: Patient, *, actor: Actor) -> Upload:
    """Open an upload on a patient's chart, with a key of its own.

    Raises `StorageFull` when there is no room, `AccessDenied` where whoever keeps the keys has no agreement.
    """
    require_for_keys(patient.practice_id, deed="upload", actor=actor)
    check_room(settings.UPLOAD_PART_BYTES)
    moment = now()
    upload = Upload(
        practice_id=patient.practice_id,
        patient=patient,
        created_by_id=actor.id if actor.kind == "staff" else None,
        created_at=moment,
        touched_at=moment,
    )
    with transaction.atomic():
        upload.save(force_insert=True)
        create_study_key(patient.practice_id, patient=patient.pk, study=upload.pk, generation=GENERATION)
        trail.record("upload.started", actor=actor, patient=patient.pk, upload=str(upload.pk))
    return upload


def finish_upload(upload: Upload, *, actor: Actor) -> Upload:
    """Close the upload and queue its ingest; one that failed is queued again. Asked twice, it does it once.

    Raises `Conflict` while a file is incomplete, `InvalidInput` when there is none.
    """
    with transaction.atomic():
        files = UploadedFile.objects.filter(upload=upload)
        again = Upload.objects.filter(pk=upload.pk, state__in=(State.RECEIVING, State.FAILED))
        if not again.update(state=State.WAITING, touched_at=now()):
            upload.refresh_from_db()
            return upload
        if not files.exists():
            raise InvalidInput("No file has been sent yet.")
        if files.exclude(offset=F("length")).exists():
            raise Conflict("Some files have not arrived completely yet. Send the rest, or remove them.")
        enqueue(JOB, upload.pk)
        length = files.aggregate(total=Sum("length"))["total"]
        trail.record(
            "upload.finished",
            actor=actor,
            patient=upload.patient_id,
            upload=str(upload.pk),
            files=files.count(),
            length_bytes=length,
        )
    upload.refresh_from_db()
    return upload


def discard_upload(upload: Upload, *, actor: Actor) -> None:
    """Give up an upload that isn't finished: its key is destroyed, then its parts."""
    with transaction.atomic():
        open_ones = Upload.objects.filter(pk=upload.pk, state__in=(State.RECEIVING, State.FAILED))
        if not open_ones.update(state=State.DISCARDED, finished_at=now()):
            raise Conflict("This upload is already closed.")
        shred_study_key(upload.practice_id, upload.pk)
        trail.record("upload.discarded", actor=actor, patient=upload.patient_id, upload=str(upload.pk))
    wipe(upload)


def remove_file(file: UploadedFile) -> None:
    """Take one file out of an upload that isn't finished (tus termination)."""
    with transaction.atomic():
        receiving = Upload.objects.filter(pk=file.upload_id, state=State.RECEIVING)
        if not receiving.update(touched_at=now()):
            raise Conflict("This upload is already closed.")
        blobs = list(file.parts.values_list("blob", flat=True))
        file.delete()
    for blob in blobs:
        spool().delete(blob)


# --- what is swept -----------------------------------------------------------------------------------------------


def sweep_abandoned() -> None:
    """Discard what nobody went on with for a day, mark what failed for good, wipe what a crash left."""
    old = now() - timedelta(seconds=settings.UPLOAD_ABANDONED_S)
    _mark_failed()
    for upload in Upload.objects.filter(state__in=(State.RECEIVING, State.FAILED), touched_at__lt=old)[:100]:
        try:
            discard_upload(upload, actor=system(upload.practice_id))
        except Conflict:
            continue  # finished in this very moment, after a day: then it is not abandoned
    for upload in Upload.objects.filter(
        state__in=(State.DONE, State.DISCARDED), files__parts__isnull=False
    ).distinct():
        wipe(upload)


def _mark_failed() -> None:
    waiting = Upload.objects.filter(state=State.WAITING).values("pk")
    for upload_id in Job.objects.filter(kind=JOB, state=Job.State.FAILED, subject_id__in=waiting).values_list(
        "subject_id", flat=True
    ):
        if not Job.objects.filter(kind=JOB, subject_id=upload_id).exclude(state=Job.State.FAILED).exists():
            Upload.objects.filter(pk=upload_id, state=State.WAITING).update(state=State.FAILED)
