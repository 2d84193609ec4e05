"""Sending again what the broker lost or a dead worker left, and closing what has run out.

The supervisor calls it every few seconds; `manage.py sweep` does it once.
"""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

from django.db.models import Q

from portal.clock import now
from portal.jobs.models import Job
from portal.jobs.queue import tell_broker

# A message younger than this may still be on its way, so it isn't sent twice.
GRACE_S = 30

# What else is swept, named by string because it stands to the right of this package.
SWEEPERS: tuple[str, ...] = (
    "portal.records.uploads.sweep_abandoned",
    "portal.records.leftovers.sweep_leftovers",
    "sharing.endings.sweep_endings",
)


def sweep_once() -> int:
    """Re-send every due job that nobody holds, then run the other sweepers. Returns the jobs re-sent."""
    moment = now()
    due = Q(state=Job.State.QUEUED, not_before__lte=moment)
    abandoned = Q(state=Job.State.RUNNING, lease_until__lt=moment)
    untold = Q(told_at=None) | Q(told_at__lt=moment - timedelta(seconds=GRACE_S))
    waiting = list(Job.objects.filter(due | abandoned, untold).values_list("pk", flat=True)[:500])
    for job_id in waiting:
        tell_broker(job_id)
    for path in SWEEPERS:
        module, _, name = path.rpartition(".")
        getattr(import_module(module), name)()
    return len(waiting)


def resume_all() -> int:
    """At start, with no worker alive, nobody can hold a lease: give every running job back at once."""
    moment = now()
    return Job.objects.filter(state=Job.State.RUNNING).update(
        state=Job.State.QUEUED, lease_until=None, lease_token=None, told_at=None, not_before=moment
    )
