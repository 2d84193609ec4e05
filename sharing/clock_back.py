"""A clock that was set back: what had ended must not live again, and everybody proves anew who they are.

Expired links stay expired by what was noted of them (`sharing.liveness`), codes of the app by the last step that was
taken, backups by their number. What is left are sessions, whose idle times would all be as much longer: they end. The
trail of the installation says by how much the clock went back; its order is that of the chain, not of the times.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import transaction

from portal.accounts.sessions import end_all_sessions
from portal.audit import installation
from portal.audit.models import AuditEntry
from portal.clock import now
from sharing.models import ShareSession

# Clocks are corrected by seconds all the time.
TOLERANCE: Final = timedelta(minutes=5)
CODE: Final = "system.clock-went-back"


def sweep_clock() -> None:
    """Called every few seconds: compares the time with the newest entry of any chain."""
    newest = AuditEntry.objects.order_by("-pk").values_list("at", flat=True).first()
    moment = now()
    if newest is None or newest - moment <= TOLERANCE:
        return
    with transaction.atomic():
        # Written first, with the new time: the next turn, and another process, find nothing to do.
        seconds = int((newest - moment).total_seconds())
        staff = end_all_sessions()
        recipients = ShareSession.objects.filter(ended_at=None).update(ended_at=moment)
        installation.note(CODE, seconds=seconds, staff_sessions=staff, share_sessions=recipients)
