"""Putting work in the queue, in the transaction of the act that needs it."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import transaction

from portal.clock import now
from portal.jobs.models import Job
from portal.jobs.tasks import run_job


def enqueue(kind: str, subject: uuid.UUID, *, after_s: float = 0) -> Job:
    """Queue `kind` for `subject`; a job of that kind already waiting for it is returned instead.

    Must run in a transaction: work is told to the broker only when the act has been committed. A message
    the broker loses is sent again by the sweep.
    """
    waiting = Job.objects.filter(kind=kind, subject_id=subject, state=Job.State.QUEUED).first()
    if waiting:
        return waiting
    moment = now()
    job = Job.objects.create(
        kind=kind, subject_id=subject, created_at=moment, not_before=moment + timedelta(seconds=after_s)
    )
    if after_s == 0:
        transaction.on_commit(lambda: tell_broker(job.pk))
    return job


def tell_broker(job_id: uuid.UUID) -> None:
    """Send the id; a broker that is down only delays the work until the sweep."""
    Job.objects.filter(pk=job_id).update(told_at=now())
    try:
        run_job.apply_async(args=[str(job_id)], retry=False)
    except OSError:
        # The row is the truth and the sweep re-sends it, so the act that queued it has succeeded.
        pass
