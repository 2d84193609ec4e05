"""P15, D1: what scans messages before people do: it renders, runs scripts, fills in forms, presses everything.

No text is sent, nothing counts as opened, no try is spent, and the link is still good for its owner.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright
from playwright.sync_api import Error as PlaywrightError

from portal.records.models import DisclosureEvent
from sharing.gateways.memory import Kept
from sharing.models import Challenge, DeskTask, Message, Share, ShareSession
from tests.chromium import launch
from tests.sharing.conftest import Recipient, make_share, run_jobs, token_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PRESSABLE = "button, a[href], input[type=submit], [role=button]"
PRESSES_MAX = 40


@pytest.fixture(scope="module")
def robots(playwright: Playwright) -> Iterator[Browser]:
    found = launch(playwright)
    yield found
    found.close()


def press_everything(page: Page, link: str, *, fills: bool) -> int:
    """From the link on, press each thing of each page that is reached; returns how often."""
    presses, known, waiting = 0, set[str](), [link]
    while waiting and presses < PRESSES_MAX:
        address = waiting.pop(0)
        for place in range(20):
            page.goto("about:blank")
            page.goto(address)
            things = page.locator(PRESSABLE)
            if place >= things.count():
                break
            if fills:
                for box in page.locator("input:visible").all():
                    box.fill("1")
            if not (things.nth(place).is_visible() and things.nth(place).is_enabled()):
                continue
            try:
                things.nth(place).click(timeout=2000, no_wait_after=False)
                page.wait_for_load_state()
            except PlaywrightError:
                continue
            presses += 1
            if page.url not in known and page.url.startswith(link.split("/s/")[0] + "/s"):
                known.add(page.url)
                waiting.append(page.url)
    return presses


@pytest.mark.parametrize(("kind", "fills"), [("patient", False), ("patient", True), ("dentist", True)])
def test_p15_d1_a_robot_that_presses_everything_sends_and_counts_nothing(
    robots: Browser, live_server: Any, pat: Any, dana: Any, sent: list[Kept], kind: str, fills: bool
) -> None:
    make_share(pat, dana, recipient_kind=kind, recipient_name="Maria Garcia")
    run_jobs()
    token = token_in(sent[0])
    context = robots.new_context(base_url=live_server.url)
    presses = press_everything(context.new_page(), f"{live_server.url}/s/#{token}", fills=fills)
    context.close()
    assert presses >= 4, "it pressed too little to prove anything"
    run_jobs()
    share = Share.objects.get()
    assert [message.kind for message in sent] == ["link"]
    assert not Message.objects.exclude(kind="link").exists()
    assert not Challenge.objects.exists()
    assert (share.match_misses, share.code_failures, share.opens, share.locked_at) == (0, 0, 0, None)
    kinds = set(DisclosureEvent.objects.values_list("kind", flat=True))
    assert kinds == {"queued", "sent", "visited"}, "its visits are listed by themselves"
    assert set(ShareSession.objects.values_list("step", flat=True)) == {"opened"}
    assert not DeskTask.objects.exists()
    human = Recipient(sent)
    assert human.open(token).json()["next"] == ("address" if kind == "dentist" else "birthdate")
