"""A download that was begun may be finished: for two hours from its start, in its own session, by its rest alone.

The share may expire meanwhile, and the session with it; a large study on a slow line takes longer than a session
may idle. Revoking, locking, suspending or ending the session stops it all the same, within 1 MiB.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from portal.clock import now
from sharing.models import Download

GRACE: Final = timedelta(hours=2)


def may_finish(session_id: UUID, study_id: UUID) -> bool:
    """Whether this session has a download of the study that may go on though the session or its share has expired."""
    stopped = Q(session__ended_at__isnull=False)
    for reason in ("revoked_at", "locked_at", "suspended_at"):
        stopped |= Q(**{f"session__share__{reason}__isnull": False})
    begun = _under_way(now()).filter(session_id=session_id, study_id=study_id)
    return begun.exclude(stopped).exists()


def is_downloading(moment: datetime) -> Exists:
    """For a query of sessions: those whose closing entry waits, because a download may still be finished."""
    return Exists(_under_way(moment).filter(session_id=OuterRef("pk")))


def _under_way(moment: datetime) -> QuerySet[Download]:
    return Download.objects.filter(completed_at=None, started_at__gt=moment - GRACE)
