"""Sending again what the broker lost or a dead worker left, and closing what has run out.

The supervisor calls it every few seconds; `manage.py sweep` does it once.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from importlib import import_module

from django.db.models import Q

from portal.clock import now
from portal.jobs.models import Job
from portal.jobs.queue import tell_broker

log = logging.getLogger(__name__)

# A message younger than this may still be on its way, so it isn't sent twice.
GRACE_S = 30
# Work that waits behind other work is sent again at growing intervals, up to this: a broker isn't filled with copies.
RESEND_MAX_S = 300
# So many in one turn; the rest has its turn in a few seconds.
RESENDS_MAX = 500

# What else is swept, named by string because it stands to the right of this package.
SWEEPERS: tuple[str, ...] = (
    "sharing.clock_back.sweep_clock",
    "portal.accounts.sessions.sweep_expired",
    "portal.accounts.known_browsers.sweep_unused",
    "portal.records.uploads.sweep_abandoned",
    "portal.records.leftovers.sweep_leftovers",
    "portal.records.retention.sweep_retention",
    "portal.practice.agreement_warnings.sweep_warnings",
    "portal.backups.schedule.sweep_schedule",
    "sharing.endings.sweep_endings",
    "portal.audit.sealing.sweep_sealing",
    "portal.audit.kept.tell",
    "portal.audit.checkpoint.sweep_checkpoints",
    "portal.audit.forwarding.sweep_forwarding",
)


def sweep_once() -> int:
    """Re-send every due job that nobody holds, then run the other sweepers. Returns the jobs re-sent."""
    sent = _resend()
    for path in SWEEPERS:
        module, _, name = path.rpartition(".")
        try:
            getattr(import_module(module), name)()
        except Exception as error:
            # One sweeper's trouble must not keep the others from their work; this one tries again next time.
            facts = {"sweeper": path}
            log.error("sweeper %s failed: %s", path, type(error).__name__, exc_info=error, extra=facts)
    return sent


def _resend() -> int:
    moment = now()
    due = Q(state=Job.State.QUEUED, not_before__lte=moment)
    abandoned = Q(state=Job.State.RUNNING, lease_until__lt=moment)
    untold = Q(told_at=None) | Q(told_at__lt=moment - timedelta(seconds=GRACE_S))
    rows = Job.objects.filter(due | abandoned, untold).order_by("not_before")
    waiting = [job.pk for job in rows[:RESENDS_MAX] if _is_unheard(job, moment)]
    for sent, job_id in enumerate(waiting):
        if not tell_broker(job_id):
            # It is down: asking for each of the others would only wait as often.
            return sent
    return len(waiting)


def _is_unheard(job: Job, moment: datetime) -> bool:
    if job.told_at is None or job.state == Job.State.RUNNING:
        return True
    interval = min(job.told_at - job.not_before, timedelta(seconds=RESEND_MAX_S))
    return moment - job.told_at >= interval


def resume_all() -> int:
    """At start, with no worker alive, nobody can hold a lease: give every running job back at once."""
    moment = now()
    return Job.objects.filter(state=Job.State.RUNNING).update(
        state=Job.State.QUEUED, lease_until=None, lease_token=None, told_at=None, not_before=moment
    )
