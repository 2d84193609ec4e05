"""The idle warning in a real browser, whose clock is moved: it comes in time, is put off, and clears the screen."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.accounts.models import User
from portal.records.models import Patient
from tests.cast import PASSWORD
from tests.conftest import MovableClock
from tests.portal.accounts.steps import code_of
from tests.sharing.test_desk_in_a_browser import chromium, enter, looked_at, page

__all__ = ["chromium", "page"]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_r6_idle_desk_is_warned_may_ask_for_more_time_and_is_signed_out(
    page: Page, live_server: Any, dana: User, pat: Patient, clock: MovableClock
) -> None:
    page.clock.install()
    enter(page, dana).goto(f"/desk/patients/{pat.pk}/")
    warning = page.locator("#idle")
    page.clock.run_for(12 * 60_000)
    expect(warning).to_be_hidden()
    page.clock.run_for(60_000)
    expect(warning).to_be_visible()
    expect(page.get_by_role("button", name="I need more time")).to_be_focused()
    looked_at(page, "idle-warning")

    clock.advance(minutes=13)
    with page.expect_response("**/account/stay") as answer:
        page.keyboard.press("Enter")
    assert answer.value.status == 204
    expect(warning).to_be_hidden()
    clock.advance(minutes=13)
    page.goto(f"/desk/patients/{pat.pk}/")
    expect(page.locator("h1")).to_contain_text("Garcia"), "the session went on"

    clock.advance(minutes=16)
    page.clock.run_for(15 * 60_000)
    page.wait_for_url("**/?next=*")
    assert "Garcia" not in page.content(), "no name stays on the screen"


def sign_in(page: Page, user: User) -> None:
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Code").fill(code_of(user))
    page.get_by_role("button", name="Sign in").click()


def test_r6_who_typed_when_the_desk_idled_out_finds_the_form_as_it_stood(
    page: Page, live_server: Any, dana: User, clock: MovableClock
) -> None:
    page.clock.install()
    page.goto("/desk/patients/new")
    sign_in(page, dana)
    page.wait_for_url("**/desk/patients/new")
    page.get_by_label("Last name").fill("Brandvold")
    page.get_by_label("Writes and reads in").select_option("es")
    # Both clocks alike: to the server it is half a minute early.
    clock.advance(seconds=871)
    page.clock.run_for(871_000)
    page.wait_for_url("**/?next=*")
    assert "Brandvold" not in page.content()

    sign_in(page, dana)
    page.wait_for_url("**/desk/patients/new")
    expect(page.get_by_label("Last name")).to_have_value("Brandvold")
    expect(page.get_by_label("Writes and reads in")).to_have_value("es")
    expect(page.get_by_text("What you typed is back in the form")).to_be_focused()
    looked_at(page, "form-put-back")
    page.reload()
    expect(page.get_by_label("Last name")).to_have_value("")


TWICE = """(form) => [1, 2].map(() => !form.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true })))"""


def test_two_clicks_send_a_form_once(page: Page, live_server: Any, dana: User) -> None:
    page.clock.install()
    enter(page, dana).goto("/desk/patients/new")
    patient = page.locator("form[data-once]")
    sign_out = page.locator("form[action='/sign-out']")
    for form in (patient, sign_out):
        assert form.evaluate(TWICE) == [False, True]
    page.clock.run_for(1001)
    assert patient.evaluate(TWICE) == [True, True]
    assert sign_out.evaluate(TWICE) == [False, True]
    page.context.clear_cookies()
    page.goto("/")
    assert page.locator("main form.form").evaluate(TWICE) == [False, True]
