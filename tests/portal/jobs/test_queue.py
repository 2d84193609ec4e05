"""The queue and the sweep: the row is the truth, the broker may lose, repeat or refuse what it is told."""

from __future__ import annotations

import uuid
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from portal.jobs import sweep
from portal.jobs.models import Job
from portal.jobs.queue import enqueue
from portal.jobs.run import claim


@pytest.fixture
def told(monkeypatch) -> list[str]:
    """The ids the broker was told."""
    ids: list[str] = []
    monkeypatch.setattr("portal.jobs.queue.run_job.apply_async", lambda args, **_: ids.append(args[0]))
    monkeypatch.setattr(sweep, "SWEEPERS", ())
    return ids


@pytest.fixture
def broker_is_down(monkeypatch) -> list[str]:
    """The ids that were offered to a broker that refuses the connection."""
    ids: list[str] = []

    def refuse(args, **_):
        ids.append(args[0])
        raise OperationalError("Error 111 connecting to 127.0.0.1:6379. Connection refused.")

    monkeypatch.setattr("portal.jobs.queue.run_job.apply_async", refuse)
    monkeypatch.setattr(sweep, "SWEEPERS", ())
    return ids


def _job(kind: str = "send") -> Job:
    with transaction.atomic():
        return enqueue(kind, uuid.uuid4())


def test_the_broker_is_told_after_the_commit_and_not_before(transactional_db, told):
    with transaction.atomic():
        job = enqueue("send", uuid.uuid4())
        assert told == []
    assert told == [str(job.pk)]


def test_an_act_that_is_rolled_back_tells_nobody_and_leaves_no_job(transactional_db, told):
    @transaction.atomic
    def act() -> None:
        enqueue("send", uuid.uuid4())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        act()
    assert told == []
    assert Job.objects.count() == 0


def test_work_outside_a_transaction_is_refused(transactional_db, told):
    with pytest.raises(RuntimeError, match="transaction"):
        enqueue("send", uuid.uuid4())


def test_asking_twice_for_the_same_work_queues_it_once(transactional_db, told):
    subject = uuid.uuid4()
    with transaction.atomic():
        assert enqueue("send", subject).pk == enqueue("send", subject).pk
    assert len(told) == 1


def test_asking_for_work_that_runs_already_breaks_nothing(transactional_db, told):
    job = _job()
    claim(job.pk)
    with transaction.atomic():
        assert enqueue("send", job.subject_id).pk == job.pk


def test_ten_who_ask_at_once_get_one_job(transactional_db, told):
    subject, start, jobs = uuid.uuid4(), Barrier(10), []

    def ask() -> None:
        start.wait()
        with transaction.atomic():
            jobs.append(enqueue("send", subject).pk)
        connection.close()

    threads = [Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(jobs) == 10
    assert len(set(jobs)) == len(told) == 1


def test_a_broker_that_is_down_does_not_undo_the_act(transactional_db, broker_is_down):
    job = _job()
    assert Job.objects.get(pk=job.pk).state == Job.State.QUEUED
    assert broker_is_down == [str(job.pk)]


def test_a_broker_that_is_down_is_asked_once_a_sweep_and_not_for_every_job(transactional_db, broker_is_down):
    for _ in range(5):
        _job()
    Job.objects.update(told_at=None)
    broker_is_down.clear()
    assert sweep.sweep_once() == 0
    assert len(broker_is_down) == 1


def test_what_a_broker_lost_is_sent_again(transactional_db, told, clock):
    job = _job()
    assert sweep.sweep_once() == 0, "it was just told"
    clock.advance(seconds=sweep.GRACE_S + 1)
    assert sweep.sweep_once() == 1
    assert sweep.sweep_once() == 0, "not twice in a moment"
    assert told == [str(job.pk)] * 2


def test_work_that_waits_long_is_sent_again_ever_more_rarely(transactional_db, told, clock):
    _job()
    for _ in range(360):
        clock.advance(seconds=10)
        sweep.sweep_once()
    assert 12 <= len(told) <= 20, "an hour at every 30 s would be 120 messages"


def test_a_job_for_later_is_told_when_it_is_due(transactional_db, told, clock):
    with transaction.atomic():
        job = enqueue("send", uuid.uuid4(), after_s=60)
    assert sweep.sweep_once() == 0
    clock.advance(seconds=61)
    assert sweep.sweep_once() == 1
    assert told == [str(job.pk)]


def test_a_sweeper_that_fails_does_not_stop_the_others(transactional_db, told, monkeypatch):
    swept: list[str] = []
    monkeypatch.setattr(sweep, "SWEEPERS", ("tests.no.such.thing", f"{__name__}.note_sweep"))
    monkeypatch.setattr(f"{__name__}._swept", swept)
    assert sweep.sweep_once() == 0
    assert swept == ["swept"]


_swept: list[str] = []


def note_sweep() -> None:
    _swept.append("swept")
