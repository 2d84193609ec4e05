"""How an upload stands, as the desk's page asks every second: numbers, studies, refused files, one sentence."""

from __future__ import annotations

from typing import Any

from django.db.models import F

from portal.jobs.models import Job
from portal.records.models import Upload
from portal.records.uploads import JOB

State = Upload.State
# A disc's own viewer brings hundreds of program files; nobody reads that many names.
REFUSED_SHOWN = 200


def describe(upload: Upload) -> dict[str, Any]:
    """`{"state", "files_done", "files_total", "studies", "refused", "quarantined", "notices", "sentence"}`.

    While files arrive the numbers count whole files; while the worker reads, they count its steps.
    """
    studies = [
        {"id": str(study.pk), "title": study.title, "files": study.file_count}
        for study in upload.studies.order_by("created_at")
    ]
    refused = [{"name": row.name, "sentence": row.sentence} for row in upload.refused.all()[:REFUSED_SHOWN]]
    quarantined = upload.quarantined.count()
    done, total = _progress(upload)
    return {
        "state": upload.state,
        "files_done": done,
        "files_total": total,
        "studies": studies,
        "refused": refused,
        "quarantined": quarantined,
        "notices": upload.notices,
        "sentence": _sentence(upload, len(studies), upload.refused.count(), quarantined),
    }


def _progress(upload: Upload) -> tuple[int, int]:
    job = _job(upload)
    if upload.state == State.WAITING and job and job.progress_total:
        return job.progress_done, job.progress_total
    total = upload.files.count()
    if upload.state == State.RECEIVING:
        return upload.files.filter(offset=F("length")).count(), total
    return (total, total) if upload.state == State.DONE else (0, total)


def _job(upload: Upload) -> Job | None:
    return Job.objects.filter(kind=JOB, subject_id=upload.pk).order_by("-created_at").first()


def _sentence(upload: Upload, studies: int, refused: int, quarantined: int) -> str:
    if upload.state == State.RECEIVING:
        return "Files are arriving."
    if upload.state == State.WAITING:
        return _waiting_sentence(upload)
    if upload.state == State.FAILED:
        job = _job(upload)
        return f"These images could not be stored. {job.failure if job else ''}".strip()
    if upload.state == State.DISCARDED:
        return "This upload was given up. Nothing of it was kept."
    return _done_sentence(studies, refused, quarantined)


def _waiting_sentence(upload: Upload) -> str:
    job = _job(upload)
    if job and job.failure and job.state == Job.State.QUEUED:
        return f"Reading the images did not work yet and is tried again. {job.failure}"
    return "The images are being read and sealed."


def _done_sentence(studies: int, refused: int, quarantined: int) -> str:
    parts = ["The images are stored." if studies else "Nothing new was stored."]
    if refused:
        parts.append("One file was not taken." if refused == 1 else f"{refused} files were not taken.")
    if quarantined:
        parts.append(
            "Some files are not this patient's. They are held until someone with the right looks at them."
        )
    return " ".join(parts)
