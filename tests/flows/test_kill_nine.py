"""kill -9 of a real installation at work: after the next start everything is there once, complete, and nothing else.

`test_ingest_survives_kill` dies at chosen lines of the ingest. Here the whole of supervisor, web server, worker and
image reader is killed from outside, at moments that are seen from outside too. The worker is stopped in the moment,
so that the kill can't come too late for it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flows.held_phone import HeldPhone
from tests.flows.installation import wait_for
from tests.flows.killed import BIRTH, MOBILE, WHEN, Case, kill_everything, kill_supervisor, kill_worker
from tests.flows.recipient import Recipient

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    case = Case(tmp_path_factory.mktemp("killed"))
    yield case
    case.side.close()
    case.installation.kill()


@pytest.mark.parametrize("when", WHEN)
def test_killed_with_everything(case: Case, when: str) -> None:
    upload = case.interrupt(when)
    case.kill(case.chance.choice((kill_everything, kill_supervisor)))
    case.start()
    case.owner.wait_for_upload(upload)
    case.wait_for_rest()
    case.check()


def test_killed_worker_is_replaced_and_the_next_one_takes_over(case: Case) -> None:
    """Four times, one after the other; what was left doesn't wait for its lease to end."""
    left = []
    for when in ("when the job is taken", "while frames are sealed", "before the commit", "after the commit"):
        left.append(upload := case.interrupt(when))
        upload["was"] = case.upload_state(upload)
        kill_worker(case.installation)
    case.wait_for_rest()
    case.check()
    # A job is done with the commit of its upload; the third was stopped on either side of that.
    assert [upload["was"] for upload in left[:2]] == ["waiting"] * 2
    assert [case.was_given_back(upload) for upload in left] == [upload["was"] == "waiting" for upload in left]


# --- messages --------------------------------------------------------------------------------------------------------


def minted(case: Case) -> bool:
    """Whether the worker has made the newest share's link, which it does just before it sends it."""
    row = case.side.row("SELECT token_hmac FROM sharing_share ORDER BY created_at DESC LIMIT 1")
    return bool(row and row[0])


def links_of(case: Case, after: int) -> list[str]:
    return [sent.link for sent in case.installation.outbox()[after:] if sent.kind == "link"]


def check_sent_once(case: Case, before: dict[str, Any]) -> None:
    """One more disclosure with one "sent", one entry of the trail."""
    found = case.check()
    assert found["disclosures"] == before["disclosures"] + 1
    assert sum(found["disclosure_events"].values()) >= sum(before["disclosure_events"].values()) + 2
    assert found["disclosure_events"]["sent"] == before["disclosure_events"].get("sent", 0) + 1
    assert found["links_sent"] == [*before["links_sent"], 1]
    assert set(found["trail"].values()) >= {1}
    sent_entries = [count for name, count in found["trail"].items() if name.startswith("share.sent ")]
    assert sent_entries == [1] * len(found["links_sent"])
    assert set(found["messages"]) == {"sent"}


def opens(case: Case, link: str) -> bool:
    return Recipient(case.installation, link).open().status == 200


def test_killed_before_the_message_left(case: Case) -> None:
    before, told = case.stands(), len(case.installation.outbox())
    with HeldPhone(case.installation):
        case.owner.begin_share(case.chart)
        wait_for(lambda: minted(case))
        case.kill(kill_everything)
    case.start()
    link = case.installation.next_message(MOBILE, after=told, kind="link").link
    case.wait_for_rest()
    assert links_of(case, told) == [link]
    check_sent_once(case, before)
    assert Recipient(case.installation, link, address=MOBILE).walk_in(BIRTH)


def test_killed_after_the_message_left_and_before_that_was_written_down(case: Case) -> None:
    before, told = case.stands(), len(case.installation.outbox())
    with HeldPhone(case.installation) as phone:
        case.owner.begin_share(case.chart)
        wait_for(lambda: minted(case))
        with case.side.writers_waiting("sharing_message"):
            assert json.loads(phone.hear())["kind"] == "link"
            case.kill(kill_everything)
    case.start()
    case.installation.next_message(MOBILE, after=told + 1, kind="link")
    case.wait_for_rest()
    first, second = links_of(case, told)
    check_sent_once(case, before)
    assert not opens(case, first), "the link of the message that was sent twice must be dead"
    assert opens(case, second)


def test_everything_under_way_at_once_is_finished_once(case: Case) -> None:
    """Uploads being read, links being sent, a code on its way: killed three times in the middle of it."""
    before, told = case.stands(), len(case.installation.outbox())
    shares = [case.owner.begin_share(case.chart) for _ in range(2)]
    uploads = [case.upload() for _ in range(2)]
    for _ in range(3):
        time.sleep(case.chance.uniform(0.1, 1.5))
        case.kill(kill_everything)
        case.start()
    for upload in uploads:
        case.owner.wait_for_upload(upload)
    case.wait_for_rest()
    found = case.check()
    assert found["links_sent"] == [*before["links_sent"], 1, 1]
    assert found["disclosures"] == before["disclosures"] + len(shares)
    links = links_of(case, told)
    assert sum(opens(case, link) for link in links) == len(shares), "one link a share works"
