"""Putting work in the queue, in the transaction of the act that needs it."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from functools import partial

from django.db import connection, transaction

from portal.clock import now
from portal.jobs.models import Job
from portal.jobs.tasks import run_job

log = logging.getLogger(__name__)


def enqueue(kind: str, subject: uuid.UUID, *, after_s: float = 0) -> Job:
    """Queue `kind` for `subject`; a job of that kind that waits or runs for it is returned instead.

    So a subject is one piece of work: what must be done again, is asked for with a new one.
    The broker is told only when the act has been committed; a message it loses is sent again by the sweep.
    Raises `RuntimeError` outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("work is queued in the transaction of its act")
    moment = now()
    job, is_new = Job.objects.get_or_create(
        kind=kind,
        subject_id=subject,
        state__in=[Job.State.QUEUED, Job.State.RUNNING],
        defaults={"created_at": moment, "not_before": moment + timedelta(seconds=after_s)},
    )
    if is_new and after_s == 0:
        # Robust: the act is committed by then, so nothing that fails here may look like a failure of the act.
        transaction.on_commit(partial(tell_broker, job.pk), robust=True)
    return job


def tell_broker(job_id: uuid.UUID) -> bool:
    """Send the id. Returns whether the broker took it; if not, the work is only delayed until the sweep."""
    Job.objects.filter(pk=job_id).update(told_at=now())
    try:
        run_job.apply_async(args=(str(job_id),), retry=False)
    except Exception as error:
        # Each broker's client has errors of its own (kombu's aren't OSError), and none may undo a finished act.
        log.warning("the broker did not take a job (%s); the sweep sends it again", type(error).__name__)
        return False
    return True
