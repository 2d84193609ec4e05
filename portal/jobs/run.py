"""Running a job once: claim by one conditional UPDATE, keep the lease, finish by another.

Whatever is killed at any moment leaves a row whose lease runs out; the sweep then sends it again. Work must
be idempotent: a job can be started twice, but only the holder of the lease can finish it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module
from threading import Event, Thread
from types import TracebackType
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, connection
from django.db.models import F, Q, QuerySet

from portal.clock import now
from portal.errors import ScanpassError
from portal.jobs.models import Job
from portal.jobs.workers import new_token

log = logging.getLogger(__name__)

# Which function does which kind; named by string because they stand to the right of this package.
KINDS: dict[str, str] = {
    "ingest": "portal.records.ingest.ingest_upload",
    "accept": "portal.records.quarantine.store_accepted",
    "send": "sharing.send.send_message",
    "read-back": "sharing.read_back.send_read_back",
    "backup": "portal.backups.schedule.backup_job",
    "drill": "portal.backups.schedule.drill_job",
    "scrub": "portal.backups.schedule.scrub_job",
}
ATTEMPTS_MAX = 5
BACKOFF_S = (5, 30, 120, 600)


class LeaseLost(Exception):
    """Another worker has taken the job over; this one must stop without finishing it."""


class EndedItsWorker(ScanpassError):
    """The job was started again and again, and each time its worker ended without a word (killed, out of memory)."""

    sentence = "It ended the worker each time it was tried, so it is not tried again."


# Trying again would not help: the row is gone, nothing does this kind, or trying is what does the harm.
HOPELESS = (ObjectDoesNotExist, KeyError, EndedItsWorker)


class Lease:
    """The right to do a job, renewed by a thread of its own until the work ends."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.token = job.lease_token
        self._stop = Event()
        self._thread = Thread(target=self._keep, daemon=True, name="lease")

    def mine(self) -> QuerySet[Job]:
        """The job's row, as long as this worker holds it."""
        return Job.objects.filter(pk=self.job.pk, state=Job.State.RUNNING, lease_token=self.token)

    def _keep(self) -> None:
        while not self._stop.wait(settings.JOB_LEASE_S / 3):
            try:
                if not self.mine().update(lease_until=_lease_end()):
                    return
            except DatabaseError as error:
                # A lock or a restart of the database; there is time for two more tries before the lease ends.
                log.warning("a lease could not be renewed (%s); trying again", type(error).__name__)
            finally:
                # Not kept for the 20 seconds until the next time: an idle connection may be cut meanwhile.
                connection.close()

    def check(self) -> None:
        """Raise `LeaseLost` unless this worker still holds the job.

        Ask it inside the transaction that commits the work: the row stays locked until then, so nobody can take
        the job over between the question and the commit.
        """
        if connection.in_atomic_block:
            held = self.mine().select_for_update().values_list("pk").first() is not None
        else:
            held = self.mine().exists()
        if not held:
            raise LeaseLost

    def progress(self, done: int, total: int) -> None:
        """Tell how far the work is, for the person who waits."""
        if not self.mine().update(progress_done=done, progress_total=total):
            raise LeaseLost

    def finish(self, state: str, failure: str = "") -> None:
        """Close the job, in the caller's transaction if it has one."""
        if not self.mine().update(state=state, failure=failure[:200], **_released()):
            raise LeaseLost

    def wait(self, until: datetime) -> None:
        """Give the job back until then, in the caller's transaction; its time hasn't come, so no attempt is counted."""
        if not self.mine().update(not_before=until, attempts=F("attempts") - 1, **_GIVEN_BACK):
            raise LeaseLost

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()


def _lease_end() -> datetime:
    return now() + timedelta(seconds=settings.JOB_LEASE_S)


def _released() -> dict[str, Any]:
    return {"finished_at": now(), "lease_until": None, "lease_token": None}


# What a job looks like that waits for another worker, or for this one later.
_GIVEN_BACK: dict[str, Any] = {
    "state": Job.State.QUEUED,
    "told_at": None,
    "lease_until": None,
    "lease_token": None,
}


def claim(job_id: uuid.UUID) -> Job | None:
    """Take the job if it is due and nobody holds it; one conditional UPDATE decides."""
    moment, token = now(), new_token()
    due = Q(state=Job.State.QUEUED, not_before__lte=moment)
    abandoned = Q(state=Job.State.RUNNING, lease_until__lt=moment)
    taken = Job.objects.filter(due | abandoned, pk=job_id).update(
        state=Job.State.RUNNING, lease_token=token, lease_until=_lease_end(), attempts=F("attempts") + 1
    )
    return Job.objects.filter(pk=job_id, lease_token=token).first() if taken else None


def run(job_id: uuid.UUID) -> bool:
    """Do one job if it can be claimed. Returns whether it was."""
    job = claim(job_id)
    if job is None:
        return False
    with Lease(job) as lease:
        try:
            _do(job, lease)
        except LeaseLost:
            log.warning("job %s was taken over by another worker", job.pk)
        except Exception as error:  # the boundary of all background work: every failure ends in the row
            _failed(lease, error)
        else:
            # Work that finished its own row in its last transaction (ingest does) has nothing left to close.
            lease.mine().update(state=Job.State.DONE, failure="", **_released())
    return True


def _do(job: Job, lease: Lease) -> None:
    if job.attempts > ATTEMPTS_MAX:
        raise EndedItsWorker
    module, _, name = KINDS[job.kind].rpartition(".")
    work: Callable[[uuid.UUID, Lease], None] = getattr(import_module(module), name)
    work(job.subject_id, lease)


def _failed(lease: Lease, error: Exception) -> None:
    """Close the job, or give it back to be tried again later."""
    facts = {"job": lease.job.pk, "kind": lease.job.kind}
    log.error("job %s failed: %s", lease.job.pk, type(error).__name__, exc_info=error, extra=facts)
    if lease.job.attempts >= ATTEMPTS_MAX or isinstance(error, HOPELESS):
        lease.mine().update(state=Job.State.FAILED, failure=_sentence(error), **_released())
        return
    wait = BACKOFF_S[min(lease.job.attempts, len(BACKOFF_S)) - 1]
    lease.mine().update(
        failure=_sentence(error),
        not_before=now() + timedelta(seconds=wait),
        **_GIVEN_BACK,
    )


def _sentence(error: Exception) -> str:
    """Why it failed, for the person who waits; of an unknown error only its type, which carries no value."""
    if isinstance(error, ScanpassError):
        return error.sentence[:200]
    if isinstance(error, ObjectDoesNotExist):
        return "What this work was for is no longer there."
    return f"It ended with an unexpected error ({type(error).__name__})."[:200]
