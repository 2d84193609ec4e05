"""Quiet hours in the practice's time zone, "send now", and a batch that leaves one by one."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection

from portal.clock import now
from portal.errors import Conflict, NotFound
from portal.jobs.models import Job
from portal.practice.models import Practice
from sharing.models import DeskTask, Message
from sharing.quiet_hours import end_of_quiet
from sharing.revoke import revoke
from sharing.send_now import send_now
from sharing.turns import reserve_turn
from tests.cast import actor_of
from tests.sharing.conftest import make_share, run_jobs
from tests.sharing.gateways.conftest import until_local


@pytest.mark.parametrize(
    ("zone", "moment", "morning"),
    [
        ("America/New_York", "2026-07-01T12:00", None),  # 8:00
        ("America/New_York", "2026-07-01T11:59", "2026-07-01T12:00"),  # 7:59
        ("America/New_York", "2026-07-02T00:59", None),  # 20:59
        ("America/New_York", "2026-07-02T01:00", "2026-07-02T12:00"),  # 21:00
        ("America/New_York", "2026-07-02T04:30", "2026-07-02T12:00"),  # after midnight: the same morning
        ("America/Los_Angeles", "2026-07-01T12:00", "2026-07-01T15:00"),
        ("Pacific/Honolulu", "2026-07-01T07:00", "2026-07-01T18:00"),  # 21:00 of the day before
        ("America/New_York", "2026-11-01T02:00", "2026-11-01T13:00"),  # the night clocks go back
        ("America/New_York", "2026-03-08T02:00", "2026-03-08T12:00"),  # and forward
    ],
)
def test_the_night_is_the_practices_own(zone, moment, morning):
    practice = Practice(time_zone=zone)
    expected = datetime.fromisoformat(morning).replace(tzinfo=UTC) if morning else None
    assert end_of_quiet(practice, datetime.fromisoformat(moment).replace(tzinfo=UTC)) == expected


def test_a_practice_can_have_no_night(settings):
    settings.QUIET_FROM_HOUR = settings.QUIET_UNTIL_HOUR = 0
    assert end_of_quiet(Practice(time_zone="America/New_York"), datetime(2026, 7, 1, 3, tzinfo=UTC)) is None


def test_a_link_of_the_night_leaves_in_the_morning(pat, dana, twilio, clock):
    clock.advance(seconds=until_local(23).total_seconds())
    make_share(pat, dana)
    run_jobs()
    message = Message.objects.get()
    assert (message.state, message.trouble) == ("held", "quiet-hours")
    # Nobody has to do anything about a night.
    assert not DeskTask.objects.filter(done_at=None).exists()
    clock.advance(hours=8, minutes=59)
    run_jobs()
    assert twilio.texts == []
    clock.advance(minutes=2)
    run_jobs()
    assert len(twilio.texts) == 1
    assert Message.objects.get().state == "sent"


def test_a_code_never_waits_for_the_morning(pat, dana, phone, twilio, clock):
    make_share(pat, dana)
    run_jobs()
    clock.advance(seconds=until_local(23).total_seconds())
    phone.open(twilio.texts[0].body.partition("/s/#")[2].split()[0])
    phone.birthdate()
    phone.post("/s/code")
    run_jobs()
    assert len(twilio.texts) == 2


def test_send_now_sends_in_the_night(pat, dana, twilio, clock):
    clock.advance(seconds=until_local(23).total_seconds())
    make_share(pat, dana)
    run_jobs()
    send_now(Message.objects.get(), actor=actor_of(dana))
    run_jobs()
    assert len(twilio.texts) == 1
    with pytest.raises(Conflict):
        send_now(Message.objects.get(), actor=actor_of(dana))


def test_send_now_is_for_the_own_practice_and_not_past_an_agreement(pat, dana, mallory, twilio, smile):
    smile.business_associates.get().agreements.update(ends_on=datetime(2020, 1, 2, tzinfo=UTC).date())
    make_share(pat, dana)
    run_jobs()
    message = Message.objects.get()
    with pytest.raises(NotFound):
        send_now(message, actor=actor_of(mallory))
    send_now(message, actor=actor_of(dana))
    run_jobs()
    assert twilio.texts == []
    assert (Message.objects.get().state, Message.objects.get().trouble) == ("held", "no-agreement")


def test_a_message_held_for_the_night_dies_with_its_share(pat, dana, twilio, clock):
    clock.advance(seconds=until_local(23).total_seconds())
    share = make_share(pat, dana)
    run_jobs()
    revoke(share, actor=actor_of(dana))
    clock.advance(hours=10)
    run_jobs()
    assert twilio.texts == []
    assert (Message.objects.get().state, Message.objects.get().trouble) == ("failed", "too-late")
    assert not DeskTask.objects.filter(done_at=None).exists()


def test_f9_forty_shares_leave_one_a_second_and_codes_go_between(pat, dana, twilio, clock, settings):
    settings.GATEWAY_INTERVAL_S = 1.0
    for _ in range(40):
        make_share(pat, dana, address=f"+1206555{len(twilio.texts) + 1000 + Message.objects.count():04d}")
    run_jobs()
    assert len(twilio.texts) == 1
    waiting = Message.objects.filter(state="held", trouble="turn")
    assert waiting.count() == 39
    dues = sorted(waiting.values_list("due_at", flat=True))
    assert all(later - sooner >= timedelta(seconds=1) for sooner, later in itertools.pairwise(dues))
    assert dues[-1] - now() < timedelta(seconds=41)
    clock.advance(seconds=20)
    run_jobs()
    # As many as seconds have passed, of which a slow machine takes some of its own.
    assert 18 <= len(twilio.texts) < 40
    clock.advance(seconds=30)
    run_jobs()
    assert len(twilio.texts) == 40
    assert len({text.to for text in twilio.texts}) == 40
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}
    # Waiting for a turn is nobody's failure: no attempt is counted, and nobody is told.
    assert set(Job.objects.values_list("attempts", flat=True)) == {1}
    assert not DeskTask.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_take_the_same_turn(settings):
    settings.GATEWAY_INTERVAL_S = 1.0
    taken: list[Any] = []

    def take() -> None:
        try:
            taken.extend(reserve_turn("twilio") for _ in range(10))
        finally:
            connection.close()

    threads = [Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken.sort()
    assert len(set(taken)) == 80
    assert all(later - sooner >= timedelta(seconds=1) for sooner, later in itertools.pairwise(taken))
