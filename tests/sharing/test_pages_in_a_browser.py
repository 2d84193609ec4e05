"""The recipient's pages in a real browser: the tap, the forms, nothing axe minds, nothing from elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, expect

from sharing.models import Message, Share, ShareSession
from sharing.reports import undelivered
from sharing.troubles import Trouble
from tests.chromium import AXE_OPTIONS, launch
from tests.sharing.conftest import code_in, heard, make_share, run_jobs, token_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PICTURES = os.environ.get("SCANPASS_PICTURES")


@pytest.fixture(scope="module")
def phones(playwright: Playwright) -> Iterator[Browser]:
    found = launch(playwright)
    yield found
    found.close()


@pytest.fixture(params=["en", pytest.param("es", marks=pytest.mark.slow)])
def screen(request: Any, phones: Browser, live_server: Any) -> Iterator[Page]:
    locale = {"en": "en-US", "es": "es-MX"}[request.param]
    context = phones.new_context(
        viewport={"width": 390, "height": 844}, locale=locale, base_url=live_server.url, has_touch=True
    )
    page = context.new_page()
    page.language = request.param  # type: ignore[attr-defined]
    foreign: list[str] = []
    page.on(
        "request",
        lambda asked: foreign.append(asked.url) if not asked.url.startswith(live_server.url) else None,
    )
    page.on("console", lambda said: foreign.append(said.text) if "Content Security" in said.text else None)
    yield page
    context.close()
    assert foreign == []


def looked_at(page: Page, name: str) -> None:
    """Axe finds nothing, the page isn't wider than a small phone, and a picture is kept for the eye if asked."""
    found = Axe().run(page, options=AXE_OPTIONS)
    assert found.violations_count == 0, found.generate_report()
    for width, height in ((320, 568), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if PICTURES:
            kept = Path(PICTURES) / f"{name}-{page.language}-{width}.png"  # type: ignore[attr-defined]
            page.screenshot(path=kept, full_page=True)


def test_from_the_link_to_the_scan(screen, sent, pat, dana):
    page = screen
    make_share(pat, dana, language=page.language)
    run_jobs()
    page.goto(f"/s/#{token_in(sent[-1])}")
    assert "#" not in page.url, "the link's key must leave the address"
    looked_at(page, "landing")
    assert not ShareSession.objects.exists(), "a page that is only loaded must open nothing"
    page.locator("[data-open-form] button").click()
    page.wait_for_url("**/s/birthdate")
    assert page.get_by_role("heading", name="Maria G.").is_visible()
    looked_at(page, "birthdate")
    for name, value in (("month", "1"), ("day", "2"), ("year", "1990")):
        page.locator(f"#{name}").fill(value)
    page.locator("main form button").click()
    page.locator("[role=alert]").wait_for()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "alert"
    assert "4" in page.locator("[role=alert]").inner_text()
    looked_at(page, "birthdate-wrong")
    for name, value in (("month", "4"), ("day", "12"), ("year", "1986")):
        page.locator(f"#{name}").fill(value)
    page.locator("main form button").click()
    page.wait_for_url("**/s/code")
    looked_at(page, "code")
    page.locator("main form button").click()
    page.wait_for_url("**/s/code/verify")
    run_jobs()
    assert page.locator("[action='/s/code'] [data-resend]").is_disabled()
    looked_at(page, "verify")
    code = code_in(sent[-1])
    page.locator("#code").fill(f"{(int(code) + 1) % 1_000_000:06d}")
    page.locator("[data-code-form] button").click()
    page.locator("[role=alert]").wait_for()
    looked_at(page, "verify-wrong")
    page.locator("#code").fill(f"{code[:3]} {code[3:]}")
    page.locator("[data-code-form] button").click()
    page.wait_for_url("**/s/view")
    page.goto("/s/activity")
    looked_at(page, "activity")
    page.locator("footer button").click()
    page.wait_for_url("**/s/done")
    looked_at(page, "done")


def matched(page: Page, link: str) -> Page:
    """The page that offers a code, by way of link and birth date."""
    page.goto(f"/s/#{link}")
    page.locator("[data-open-form] button").click()
    page.wait_for_url("**/s/birthdate")
    for name, value in (("month", "4"), ("day", "12"), ("year", "1986")):
        page.locator(f"#{name}").fill(value)
    page.locator("main form button").click()
    page.wait_for_url("**/s/code")
    return page


@pytest.mark.slow
def test_p13_after_two_texts_a_button_asks_for_a_call_and_what_is_heard_opens_the_scan(
    screen, sent, pat, dana, clock
):
    page = screen
    make_share(pat, dana, language=page.language)
    run_jobs()
    matched(page, token_in(sent[-1])).locator("main form button").click()
    page.wait_for_url("**/s/code/verify")
    run_jobs()
    call = page.locator("[data-call] button")
    expect(call).to_be_hidden()
    clock.advance(seconds=61)
    page.reload()
    page.locator("[action='/s/code'] button").click()
    page.wait_for_load_state()
    run_jobs()
    expect(call).to_be_visible()
    expect(call).to_be_disabled()  # a minute after the text, as for another text
    clock.advance(seconds=61)
    page.reload()
    expect(call).to_have_text({"en": "Call me with the code", "es": "Pedir una llamada"}[page.language])
    looked_at(page, "verify-call-offered")
    call.click()
    page.get_by_role(
        "heading", name={"en": "Answer your phone", "es": "Conteste el teléfono"}[page.language]
    ).wait_for()
    looked_at(page, "verify-calling")
    run_jobs()
    assert sent[-1].kind == "call"
    page.locator("#code").fill(heard(sent[-1]))
    page.locator("[data-code-form] button").click()
    page.wait_for_url("**/s/view")


@pytest.mark.slow
def test_p13_p9_a_text_that_did_not_come_brings_the_button_without_a_reload(screen, sent, pat, dana):
    page = screen
    make_share(pat, dana, language=page.language)
    run_jobs()
    matched(page, token_in(sent[-1])).locator("main form button").click()
    page.wait_for_url("**/s/code/verify")
    run_jobs()
    expect(page.locator("[data-call] button")).to_be_hidden()
    undelivered(Message.objects.get(kind="code").pk, Trouble.LANDLINE, gateway="twilio")
    expect(page.locator("[data-call] button")).to_be_visible()
    looked_at(page, "verify-landline")


def test_a_dentists_address_page(screen, sent, pat, dana):
    page = screen
    make_share(pat, dana, recipient_kind="dentist", recipient_name="Dr. Riley", purpose="referral")
    run_jobs()
    page.goto(f"/s/#{token_in(sent[-1])}")
    page.locator("[data-open-form] button").click()
    page.wait_for_url("**/s/address")
    looked_at(page, "address")
    page.locator("#address").fill("nobody@clinic.example")
    page.locator("main form button").click()
    page.wait_for_url("**/s/code")
    looked_at(page, "code-dentist")


def test_an_ended_link_asks_who_it_is_then_tells_and_takes_the_wish(screen, sent, pat, dana):
    page = screen
    make_share(pat, dana)
    run_jobs()
    Share.objects.update(revoked_at="2026-01-01T00:00:00Z")
    page.goto(f"/s/#{token_in(sent[-1])}")
    page.locator("[data-open-form] button").click()
    page.wait_for_url("**/s/birthdate")
    assert "Maria" not in page.content()
    looked_at(page, "birthdate-neutral")
    for name, value in (("month", "4"), ("day", "12"), ("year", "1986")):
        page.locator(f"#{name}").fill(value)
    page.locator("main form button").click()
    page.wait_for_url("**/s/ended")
    looked_at(page, "ended")
    page.locator("main form button").click()
    page.locator("[role=status]").wait_for()
    looked_at(page, "ended-asked")


def test_a_link_that_was_cut_says_so_and_can_be_pasted(screen, sent):
    page = screen
    page.goto("/s/#tooShort")
    assert page.locator("[data-no-link]").is_visible()
    looked_at(page, "landing-cut")
    page.goto("/s/paste")
    looked_at(page, "paste")


def test_the_language_can_be_changed_without_losing_the_link(screen, sent, pat, dana):
    page = screen
    make_share(pat, dana)
    run_jobs()
    page.goto(f"/s/#{token_in(sent[-1])}")
    other = {"en": "Un escaneo dental para usted", "es": "A dental scan for you"}[page.language]
    page.locator("[data-language-form] button").click()
    page.get_by_role("heading", name=other).wait_for()
    page.locator("[data-open-form] button").click()
    page.wait_for_url("**/s/birthdate")
    assert page.get_by_role("heading", name="Maria G.").is_visible()


def test_without_scripts_the_link_is_pasted(phones, live_server, sent, pat, dana):
    make_share(pat, dana)
    run_jobs()
    context = phones.new_context(java_script_enabled=False, base_url=live_server.url)
    page = context.new_page()
    page.goto(f"/s/#{token_in(sent[-1])}")
    page.locator("noscript a, a.button").first.click()
    page.locator("#token").fill(sent[-1].body.split("Open ")[1].split()[0])
    page.locator("main form button").click()
    assert page.url.endswith("/s/birthdate")
    assert "Maria G." in page.content()
    context.close()
