"""Jobs: whatever the broker loses and whoever is killed, the work is done once."""

from __future__ import annotations

import uuid
from threading import Thread

import pytest
from django.db import connection, transaction

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


def lose_the_lease(subject: uuid.UUID, lease) -> None:
    Job.objects.filter(pk=lease.job.pk).update(lease_token=uuid.uuid4())
    lease.check()


@pytest.fixture(autouse=True)
def _kinds(monkeypatch):
    done.clear()
    for verb in (note_done, refuse, lose_the_lease):
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


def test_asking_twice_for_the_same_work_queues_it_once(db):
    subject = uuid.uuid4()
    with transaction.atomic():
        assert enqueue("note_done", subject).pk == enqueue("note_done", subject).pk


def test_the_sweep_sends_lost_messages_again_but_not_twice_in_a_moment(db, clock, monkeypatch):
    told: list[str] = []
    monkeypatch.setattr("portal.jobs.queue.run_job.apply_async", lambda args, **_: told.append(args[0]))
    monkeypatch.setattr(sweep, "SWEEPERS", ())
    job = _job("note_done")  # its message waits for the commit of this test's transaction, and so is lost
    assert sweep.sweep_once() == 1
    assert sweep.sweep_once() == 0
    clock.advance(seconds=sweep.GRACE_S + 1)
    assert sweep.sweep_once() == 1
    assert told == [str(job.pk)] * 2


def test_at_start_every_running_job_is_given_back(db):
    job = _job("note_done")
    claim(job.pk)
    assert sweep.resume_all() == 1
    assert run(job.pk) is True
