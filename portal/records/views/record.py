"""What the patient's page shows of images: the stored studies, and what is on its way in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from portal.accounts.permissions import Action, may
from portal.audit.actor import Actor
from portal.clock import now
from portal.records.models import Patient, Series, Study, Upload
from portal.records.patients import get_patient
from portal.records.relation import why_not
from portal.records.upload_status import describe
from portal.records.views import live

THUMBNAILS_MAX = 6
STALLED_AFTER = timedelta(minutes=1)  # without a byte: then nobody seems to be sending any more
SHOWN_AFTER = timedelta(hours=24)  # how long an upload that is done keeps saying what became of it


@may(Action.FIND_PATIENTS)
@require_safe
def record(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The images of one patient, as a piece that keeps itself up to date."""
    patient = get_patient(request.actor.practice, patient_id)  # type: ignore[attr-defined]
    shown = record_of(patient, request.actor)  # type: ignore[attr-defined]
    return live.answer(request, "records/_record.html", {"patient": patient, **shown}, state=_state(shown))


def record_of(patient: Patient, actor: Actor) -> dict[str, Any]:
    """Studies with their series, and uploads that are under way or had something to say lately."""
    studies = Study.objects.filter(patient=patient, state=Study.State.STORED).prefetch_related("series")
    shown = {
        "studies": [_study(study) for study in studies.order_by("-created_at")],
        "uploads": [_upload(upload) for upload in _recent_uploads(patient)],
        "asks_why": bool(actor.id and why_not(actor.id, patient.pk)),
    }
    return {**shown, "seen": live.digest_of(_state(shown))}


def _study(study: Study) -> dict[str, Any]:
    series = sorted(study.series.all(), key=lambda row: row.position)
    pictures = [row for row in series if row.kind != Series.Kind.OTHER]
    return {
        "study": study,
        "series": series,
        "thumbnails": [(row, preview_view(row)) for row in pictures[:THUMBNAILS_MAX]],
        "more": max(0, len(pictures) - THUMBNAILS_MAX),
        "others": len(series) - len(pictures),
    }


def preview_view(series: Series) -> str:
    """The name of the preview that tells most about a series."""
    return "axial.webp" if series.kind == Series.Kind.VOLUME else "image.webp"


def _recent_uploads(patient: Patient) -> list[Upload]:
    lately = Upload.objects.filter(patient=patient, touched_at__gt=now() - SHOWN_AFTER).order_by(
        "-created_at"
    )
    return list(lately.exclude(state=Upload.State.DISCARDED)[:5])


def _upload(upload: Upload) -> dict[str, Any]:
    told = describe(upload)
    return {
        "upload": upload,
        **told,
        "is_open": upload.state in (Upload.State.RECEIVING, Upload.State.WAITING),
        "has_failed": upload.state == Upload.State.FAILED,
        "is_stalled": upload.state == Upload.State.RECEIVING and upload.touched_at < now() - STALLED_AFTER,
    }


def _state(shown: dict[str, Any]) -> list[Any]:
    studies = [(row["study"].pk, row["study"].generation, len(row["series"])) for row in shown["studies"]]
    uploads = [
        (
            row["upload"].pk,
            row["state"],
            row["files_done"],
            row["files_total"],
            row["is_stalled"],
            row["sentence"],
            row["refused"],
        )
        for row in shown["uploads"]
    ]
    return [studies, uploads, shown["asks_why"]]
