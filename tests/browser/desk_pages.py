"""What someone at the desk does on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, expect

from portal.phantom.people import InventedPatient
from tests.browser.screen import Screen
from tests.flows.installation import Installation

ALL = 1  # of Chromium's drag operations: copy


def sign_in(screen: Screen, demo: Installation, name: str) -> None:
    """Password and code, by keyboard alone."""
    page, who = screen.page, demo.person(name)
    page.goto("/")
    expect(page.get_by_label("E-mail")).to_be_focused()
    screen.looked_at("desk-sign-in")
    page.keyboard.type(who["email"])
    page.keyboard.press("Tab")
    page.keyboard.type(who["password"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in/code")
    expect(page.get_by_label("Code")).to_be_focused()
    screen.looked_at("desk-second-step")
    page.keyboard.type(demo.totp(name))
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/")


def add_patient(screen: Screen, person: InventedPatient) -> None:
    page = screen.page
    page.get_by_role("link", name="Add a patient").click()
    screen.looked_at("desk-new-patient")
    page.get_by_role("button", name="Add the patient").click()
    page.locator("main [role=alert]").wait_for()
    screen.looked_at("desk-new-patient-errors")
    page.get_by_label("Last name").fill(person.family_name)
    page.get_by_label("First name").fill(person.given_name)
    page.get_by_label("Date of birth").fill(person.birthdate.isoformat())
    page.get_by_label("Chart number").fill(person.chart_number)
    page.get_by_label("Mobile phone").fill(person.phone)
    page.get_by_role("button", name="Add the patient").click()
    page.get_by_role("heading", name=f"{person.family_name}, {person.given_name}").wait_for()


def drop(page: Page, *paths: Path) -> None:
    """Files and folders from outside, let go over the page, as the window system would tell Chromium."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": ALL}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 200, "y": 300, "data": data})
    session.detach()


def wait_until_stored(page: Page) -> None:
    """Until the page says that the upload under way is done."""
    done = page.locator("#record .upload").first
    expect(done).to_contain_text("stored.", timeout=120_000)
    expect(page.locator("#drop [data-part=sending]")).to_be_hidden()


def badge(page: Page) -> str:
    """The state of the newest disclosure."""
    return page.locator("#shares .disclosure .badge").first.inner_text()


def expect_badge(page: Page, word: str) -> None:
    """The newest disclosure comes to say this, without a reload."""
    expect(page.locator("#shares .disclosure .badge").first).to_have_text(word)


def statuses(page: Page) -> Sequence[str]:
    """The steps of the newest disclosure, oldest first."""
    return page.locator("#shares .disclosure").first.locator(".events li span").all_inner_texts()
