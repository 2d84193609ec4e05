"""What a practice's images take up, and how it grew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, Q, Sum

from portal.clock import now
from portal.records.models import QuarantinedGroup, Study, UploadPart

LATELY: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes are those of the original files; sealed, with their pyramids and previews, about twice."""

    studies: int
    files: int
    length_bytes: int
    lately_bytes: int
    arriving_bytes: int
    quarantined_files: int


def usage_of(practice: UUID) -> Usage:
    """What is stored now, what of it came in the last thirty days, and what is on its way in."""
    stored = Study.objects.filter(practice_id=practice, state=Study.State.STORED)
    told = stored.aggregate(
        studies=Count("pk"),
        files=Sum("file_count"),
        kept=Sum("length_bytes"),
        lately=Sum("length_bytes", filter=Q(created_at__gt=now() - LATELY)),
    )
    parts = UploadPart.objects.filter(file__practice_id=practice).aggregate(length=Sum("length"))
    held = QuarantinedGroup.objects.filter(practice_id=practice, state=QuarantinedGroup.State.HELD)
    return Usage(
        studies=told["studies"],
        files=told["files"] or 0,
        length_bytes=told["kept"] or 0,
        lately_bytes=told["lately"] or 0,
        arriving_bytes=parts["length"] or 0,
        quarantined_files=held.aggregate(files=Sum("file_count"))["files"] or 0,
    )
