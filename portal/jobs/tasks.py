"""The one Celery task: run the job with this id."""

from __future__ import annotations

import logging
import uuid

from celery import shared_task

log = logging.getLogger(__name__)


@shared_task(name="portal.jobs.run", acks_late=True, ignore_result=True)
def run_job(job_id: str) -> None:
    from portal.jobs.run import run  # the web process queues jobs and never needs what runs them

    try:
        run(uuid.UUID(job_id))
    except Exception as error:
        # Celery would log the exception's text. Nothing is lost: the row stays, and the sweep sends it again.
        log.error("a job could not be run", exc_info=error)
