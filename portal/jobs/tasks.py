"""The one Celery task: run the job with this id."""

from __future__ import annotations

import uuid

from celery import shared_task


@shared_task(name="portal.jobs.run", acks_late=True, ignore_result=True)
def run_job(job_id: str) -> None:
    from portal.jobs.run import run  # the web process queues jobs and never needs what runs them

    run(uuid.UUID(job_id))
