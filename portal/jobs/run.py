"""Running a job once: claim by one conditional UPDATE, keep the lease, finish by another.

Whatever is killed at any moment leaves a row whose lease runs out; the sweep then sends it again. Work must
be idempotent: a job can be started twice, but only the holder of the lease can finish it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from threading import Event, Thread
from types import TracebackType

from django.conf import settings
from django.db import connection
from django.db.models import F, Q

from portal.clock import now
from portal.errors import ScanpassError
from portal.jobs.models import Job

log = logging.getLogger(__name__)

# Which function does which kind; named by string because they stand to the right of this package.
KINDS: dict[str, str] = {
    "ingest": "portal.records.ingest.ingest_upload",
    "accept": "portal.records.quarantine.store_accepted",
    "send": "sharing.send.send_message",
}
ATTEMPTS_MAX = 5
BACKOFF_S = (5, 30, 120, 600)


class LeaseLost(Exception):
    """Another worker has taken the job over; this one must stop without finishing it."""


class Lease:
    """The right to do a job, renewed by a thread of its own until the work ends."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.token = job.lease_token
        self._stop = Event()
        self._thread = Thread(target=self._keep, daemon=True, name="lease")

    def _mine(self) -> Q:
        return Q(pk=self.job.pk, state=Job.State.RUNNING, lease_token=self.token)

    def _keep(self) -> None:
        try:
            while not self._stop.wait(settings.JOB_LEASE_S / 3):
                if not Job.objects.filter(self._mine()).update(lease_until=_lease_end()):
                    return
        finally:
            connection.close()

    def check(self) -> None:
        """Raise `LeaseLost` unless this worker still holds the job; ask before committing."""
        if not Job.objects.filter(self._mine()).exists():
            raise LeaseLost

    def progress(self, done: int, total: int) -> None:
        """Tell how far the work is, for the person who waits."""
        if not Job.objects.filter(self._mine()).update(progress_done=done, progress_total=total):
            raise LeaseLost

    def finish(self, state: str, failure: str = "") -> None:
        """Close the job, in the caller's transaction if it has one."""
        changed = Job.objects.filter(self._mine()).update(
            state=state, failure=failure, finished_at=now(), lease_until=None, lease_token=None
        )
        if not changed:
            raise LeaseLost

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()


def _lease_end():
    return now() + timedelta(seconds=settings.JOB_LEASE_S)


def claim(job_id: uuid.UUID) -> Job | None:
    """Take the job if it is due and nobody holds it; one conditional UPDATE decides."""
    moment, token = now(), uuid.uuid4()
    due = Q(state=Job.State.QUEUED, not_before__lte=moment)
    abandoned = Q(state=Job.State.RUNNING, lease_until__lt=moment)
    taken = Job.objects.filter(due | abandoned, pk=job_id).update(
        state=Job.State.RUNNING, lease_token=token, lease_until=_lease_end(), attempts=F("attempts") + 1
    )
    return Job.objects.get(pk=job_id) if taken else None


def run(job_id: uuid.UUID) -> bool:
    """Do one job if it can be claimed. Returns whether it was."""
    job = claim(job_id)
    if job is None:
        return False
    with Lease(job) as lease:
        try:
            _work(job.kind)(job.subject_id, lease)
        except LeaseLost:
            log.warning("job %s was taken over by another worker", job.pk)
        except Exception as error:  # the boundary of all background work: every failure ends in the row
            _failed(lease, error)
        else:
            _finish_unless_done(lease)
    return True


def _work(kind: str) -> Callable[[uuid.UUID, Lease], None]:
    module, _, name = KINDS[kind].rpartition(".")
    return getattr(import_module(module), name)


def _finish_unless_done(lease: Lease) -> None:
    # Work that finished its own row in its last transaction (ingest does) has nothing left to close.
    Job.objects.filter(lease._mine()).update(
        state=Job.State.DONE, finished_at=now(), lease_until=None, lease_token=None
    )


def _failed(lease: Lease, error: Exception) -> None:
    sentence = error.sentence if isinstance(error, ScanpassError) else type(error).__name__
    log.error("job %s failed: %s", lease.job.pk, type(error).__name__)
    final = lease.job.attempts >= ATTEMPTS_MAX
    wait = BACKOFF_S[min(lease.job.attempts, len(BACKOFF_S)) - 1]
    Job.objects.filter(lease._mine()).update(
        state=Job.State.FAILED if final else Job.State.QUEUED,
        failure=sentence[:200],
        not_before=now() + timedelta(seconds=wait),
        told_at=None,
        finished_at=now() if final else None,
        lease_until=None,
        lease_token=None,
    )
