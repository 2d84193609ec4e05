"""What a dead process was doing is free at once, and nothing else is."""

from __future__ import annotations

import secrets
import uuid
from queue import SimpleQueue
from typing import Any

import pytest
from django.db import OperationalError, transaction

from portal.jobs.models import Job
from portal.jobs.queue import enqueue
from portal.jobs.run import Lease, LeaseLost, claim
from portal.jobs.workers import new_token, release
from portal.serving import start

pytestmark = pytest.mark.django_db

DEAD, ALIVE = "00000000deadbeef", "00000000deadbee0"


def taken_by(mark: str, settings: Any) -> Job:
    settings.WORKER_MARK = mark
    with transaction.atomic():
        job = enqueue("scrub", uuid.uuid4())
    claimed = claim(job.pk)
    assert claimed
    return claimed


def test_jobs_of_the_dead_are_given_back_and_those_of_others_kept(settings: Any) -> None:
    dead, alive, unmarked = (taken_by(mark, settings) for mark in (DEAD, ALIVE, ""))
    settings.WORKER_MARK = ALIVE
    assert release(DEAD) == 1
    assert claim(dead.pk), "it is due at once"
    for job in (alive, unmarked):
        assert claim(job.pk) is None
        Lease(job).check()
    with pytest.raises(LeaseLost):
        Lease(dead).check()


def test_job_that_may_be_what_kills_its_worker_waits_for_its_lease(settings: Any) -> None:
    job = taken_by(DEAD, settings)
    assert release(DEAD) == 1
    assert claim(job.pk)
    assert release(DEAD) == 0
    assert claim(job.pk) is None


def test_finished_job_is_not_begun_again(settings: Any) -> None:
    job = taken_by(DEAD, settings)
    Lease(job).finish(Job.State.DONE)
    assert release(DEAD) == 0
    assert Job.objects.get().state == Job.State.DONE


@pytest.mark.parametrize("mark", ["", "xyz", "%", "0" * 15, "0" * 17, "F" * 16])
def test_no_mark_frees_nothing(settings: Any, mark: str) -> None:
    taken_by(mark, settings)
    assert release(mark) == 0


def test_tokens_of_one_process_differ(settings: Any) -> None:
    settings.WORKER_MARK = secrets.token_hex(8)
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert {token.hex[:16] for token in tokens} == {settings.WORKER_MARK}


def test_database_that_is_busy_now_frees_them_at_the_next_sweep(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = taken_by(DEAD, settings)
    dead: SimpleQueue[str] = SimpleQueue()
    dead.put(DEAD)

    def busy(mark: str) -> int:
        raise OperationalError("locked")

    monkeypatch.setattr(start, "release", busy)
    with pytest.raises(OperationalError):
        start._release(dead)
    monkeypatch.undo()
    settings.WORKER_MARK = ALIVE
    start._release(dead)
    assert dead.empty()
    assert claim(job.pk)
