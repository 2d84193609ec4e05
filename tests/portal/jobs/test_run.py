"""Jobs: whatever the broker loses and whoever is killed, the work is done once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from time import sleep

import pytest
from django.db import OperationalError, connection, transaction

from portal.clock import now
from portal.errors import InvalidInput
from portal.jobs import run as running
from portal.jobs import sweep
from portal.jobs.models import Job
from portal.jobs.queue import enqueue
from portal.jobs.run import ATTEMPTS_MAX, LeaseLost, claim, run

done: list[uuid.UUID] = []


def note_done(subject: uuid.UUID, lease) -> None:
    done.append(subject)


def refuse(subject: uuid.UUID, lease) -> None:
    raise InvalidInput("It can't be done: the number is missing.")


def miss_its_subject(subject: uuid.UUID, lease) -> None:
    Job.objects.get(pk=subject)


def stumble(subject: uuid.UUID, lease) -> None:
    raise ZeroDivisionError("Maria Garcia")


def lose_the_lease(subject: uuid.UUID, lease) -> None:
    Job.objects.filter(pk=lease.job.pk).update(lease_token=uuid.uuid4())
    lease.check()


def wait_an_hour(subject: uuid.UUID, lease) -> None:
    lease.wait(now() + timedelta(hours=1))


@pytest.fixture(autouse=True)
def _kinds(monkeypatch):
    done.clear()
    for verb in (note_done, refuse, miss_its_subject, stumble, lose_the_lease, wait_an_hour):
        monkeypatch.setitem(running.KINDS, verb.__name__, f"{__name__}.{verb.__name__}")


def _job(kind: str) -> Job:
    with transaction.atomic():
        return enqueue(kind, uuid.uuid4())


def test_a_job_runs_once_however_often_it_is_sent(db):
    job = _job("note_done")
    assert [run(job.pk), run(job.pk), run(job.pk)] == [True, False, False]
    assert done == [job.subject_id]
    assert Job.objects.get(pk=job.pk).state == Job.State.DONE


def test_twenty_workers_at_once_do_it_once(transactional_db):
    job = _job("note_done")

    def work() -> None:
        run(job.pk)
        connection.close()

    threads = [Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [job.subject_id]


def test_a_job_whose_worker_died_is_claimed_again_only_after_its_lease(db, clock, settings):
    job = _job("note_done")
    assert claim(job.pk) is not None
    assert run(job.pk) is False
    clock.advance(seconds=settings.JOB_LEASE_S + 1)
    assert run(job.pk) is True
    assert Job.objects.get(pk=job.pk).attempts == 2


def test_the_one_that_lost_its_lease_does_not_close_the_job(transactional_db):
    job = _job("lose_the_lease")
    run(job.pk)
    assert Job.objects.get(pk=job.pk).state == Job.State.RUNNING


def test_finishing_without_the_lease_is_refused(transactional_db):
    job = _job("note_done")
    lease = running.Lease(claim(job.pk))
    Job.objects.filter(pk=job.pk).update(lease_token=uuid.uuid4())
    with pytest.raises(LeaseLost):
        lease.finish(Job.State.DONE)


def test_a_refused_job_waits_longer_each_time_and_then_fails_with_its_sentence(transactional_db, clock):
    job = _job("refuse")
    for attempt in range(ATTEMPTS_MAX):
        assert run(job.pk) is True, attempt
        assert run(job.pk) is False, "it must wait before it is tried again"
        clock.advance(hours=1)
    kept = Job.objects.get(pk=job.pk)
    assert (kept.state, kept.attempts) == (Job.State.FAILED, ATTEMPTS_MAX)
    assert kept.failure == "It can't be done: the number is missing."


def test_work_whose_time_has_not_come_waits_without_counting_as_tried(transactional_db, clock):
    job = _job("wait_an_hour")
    for _ in range(2 * ATTEMPTS_MAX):
        assert run(job.pk) is True
        job.refresh_from_db()
        assert (job.state, job.attempts, job.failure, job.lease_token) == (Job.State.QUEUED, 0, "", None)
        assert run(job.pk) is False
        clock.advance(hours=1, seconds=1)


def test_an_unknown_error_is_told_by_its_type_alone(transactional_db, caplog):
    job = _job("stumble")
    run(job.pk)
    kept = Job.objects.get(pk=job.pk)
    assert (kept.state, kept.failure) == (
        Job.State.QUEUED,
        "It ended with an unexpected error (ZeroDivisionError).",
    )


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("miss_its_subject", "What this work was for is no longer there."),
        ("unheard-of", "It ended with an unexpected error (KeyError)."),
    ],
)
def test_what_can_never_succeed_fails_at_once_in_words(transactional_db, kind, sentence):
    job = _job(kind)
    assert run(job.pk) is True
    kept = Job.objects.get(pk=job.pk)
    assert (kept.state, kept.failure, kept.attempts) == (Job.State.FAILED, sentence, 1)
    assert kept.finished_at is not None


def test_a_job_that_kills_its_worker_each_time_is_given_up(transactional_db, clock, settings):
    job = _job("note_done")
    for _ in range(ATTEMPTS_MAX):
        assert claim(job.pk) is not None  # and then the worker is killed
        clock.advance(seconds=settings.JOB_LEASE_S + 1)
    assert run(job.pk) is True
    kept = Job.objects.get(pk=job.pk)
    assert kept.state == Job.State.FAILED
    assert kept.failure.startswith("It ended the worker each time")
    assert done == []


def test_a_success_clears_what_an_earlier_try_said(transactional_db):
    job = _job("note_done")
    Job.objects.filter(pk=job.pk).update(failure="The disk is full.")
    run(job.pk)
    assert Job.objects.get(pk=job.pk).failure == ""


def test_the_lease_is_renewed_while_the_work_lasts(transactional_db, settings):
    settings.JOB_LEASE_S = 0.3
    job = _job("note_done")
    with running.Lease(claim(job.pk)) as lease:
        first = Job.objects.get(pk=job.pk).lease_until
        _until(lambda: Job.objects.get(pk=job.pk).lease_until > first)
        lease.check()


def test_a_renewal_the_database_refuses_is_tried_again(transactional_db, settings, monkeypatch):
    settings.JOB_LEASE_S = 0.3
    job = _job("note_done")
    ends, refusals = running._lease_end, iter([True, True])

    def lease_end():
        if next(refusals, False):
            raise OperationalError("database is locked")
        return ends()

    claimed = claim(job.pk)
    monkeypatch.setattr(running, "_lease_end", lease_end)
    with running.Lease(claimed):
        _until(lambda: Job.objects.get(pk=job.pk).lease_until > claimed.lease_until)
    assert next(refusals, "both refused") == "both refused"


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(400):
        if holds():
            return
        sleep(0.05)
    pytest.fail("it did not come about")


def test_at_start_every_running_job_is_given_back(db):
    job = _job("note_done")
    claim(job.pk)
    assert sweep.resume_all() == 1
    assert run(job.pk) is True
