"""The desk's verbs against each other and against the worker, with real threads: of two that can't both be, one is."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from django.db import connection

from portal.accounts.models import User
from portal.errors import Conflict, InvalidInput
from portal.records.models import Patient
from sharing.change_number import change_number
from sharing.gateways.memory import Kept
from sharing.models import Message, Share
from sharing.renew import renew
from sharing.resend import resend
from sharing.revoke import revoke
from sharing.undo import undo
from sharing.wrong_number import report_wrong_number
from tests.cast import actor_of
from tests.sharing.conftest import PHONE, Recipient, make_share, run_jobs, token_in
from tests.viewer.conftest import Stored, browser_of, made_study, share_of

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "+12065550142"


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each answers or raises when they all start together."""
    start, answers = Barrier(len(acts)), [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        start.wait()
        try:
            answers[place] = act()
        except (Conflict, InvalidInput) as error:
            answers[place] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize("verb", ["resend", "renew"])
def test_parallel_sends_give_one_text(share: Share, dana: User, sent: list[Kept], verb: str) -> None:
    actor = actor_of(dana)
    again = {
        "resend": lambda: resend(share, actor=actor),
        "renew": lambda: renew(share, expires_at=share.expires_at, actor=actor),
    }[verb]
    at_once(*[again] * 8)
    run_jobs()
    assert len(sent) == 2  # the first, and one more


def test_of_undoing_and_sending_one_happens(pat: Patient, dana: User, sent: list[Kept]) -> None:
    for _ in range(6):
        sent.clear()
        share = make_share(pat, dana)
        undone, _ran = at_once(lambda one=share: undo(one, actor=actor_of(dana)), run_jobs)
        was_undone = not isinstance(undone, Conflict)
        assert (was_undone, len(sent)) in {(True, 0), (False, 1)}
        share.refresh_from_db()
        assert (share.revoked_at is not None) is was_undone


def test_link_to_the_old_number_never_lives_after_a_change(
    pat: Patient, dana: User, sent: list[Kept]
) -> None:
    for _ in range(6):
        sent.clear()
        share = make_share(pat, dana)
        at_once(
            lambda one=share: change_number(one, channel="text", address=OTHER, actor=actor_of(dana)),
            run_jobs,
        )
        run_jobs()
        links = [kept for kept in sent if kept.kind == "link"]
        assert [kept.to for kept in links].count(OTHER) == 1
        for kept in links:
            answer = Recipient(sent).open(token_in(kept)).json()
            assert ("for" in answer) is (kept.to == OTHER)


def test_of_two_changes_of_a_number_one_wins(share: Share, dana: User, sent: list[Kept]) -> None:
    def change(address: str) -> Callable[[], Message]:
        mine = Share.objects.get(pk=share.pk)
        return lambda: change_number(mine, channel="text", address=address, actor=actor_of(dana))

    answers = at_once(change(OTHER), change("+12065550143"))
    run_jobs()
    assert sum(isinstance(answer, Conflict) for answer in answers) == 1
    assert len(sent) == 2


def test_wrong_number_is_reported_once(share: Share, dana: User) -> None:
    answers = at_once(*[lambda: report_wrong_number(share, actor=actor_of(dana))] * 4)
    assert sum(isinstance(answer, Conflict) for answer in answers) == 3
    assert share.disclosure.events.filter(kind="wrong-number").count() == 1


@pytest.fixture
def stored(pat: Patient) -> Stored:
    return made_study(pat)


def test_p12_revoked_during_50_parallel_viewers_serves_nothing_more(stored: Stored, dana: User) -> None:
    share = share_of(stored, dana, address=PHONE)
    viewers = [browser_of(share) for _ in range(50)]
    revoked, late, served = Event(), [], []
    full = Barrier(51)

    def watch(viewer: Any) -> None:
        try:
            viewer.get(stored.frames("0-1"))
            full.wait()
            while True:
                is_late = revoked.is_set()
                status = viewer.get(stored.frames("0-1")).status_code
                (late if is_late else served).append(status)
                if status != 200:
                    return
        finally:
            connection.close()

    threads = [Thread(target=watch, args=(viewer,)) for viewer in viewers]
    for thread in threads:
        thread.start()
    full.wait()
    revoke(share, actor=actor_of(dana))
    revoked.set()
    for thread in threads:
        thread.join()
    # Each ended because it was refused, and nothing that was asked for after the revoke was served.
    assert 200 not in late
    assert [status for status in served + late if status != 200] == [410] * 50
