"""The pages that the walk doesn't pass: set-up, quarantine, trail, account, refusals, links that have ended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import share_pages
from tests.browser.conftest import OpenScreen
from tests.browser.screen import Screen
from tests.flows.authenticator import Authenticator
from tests.flows.desk import UUID, Desk
from tests.flows.installation import Installation
from tests.flows.invented import Case, new_person, small_cbct, stored
from tests.flows.new_practice import Owner, new_installation

pytestmark = pytest.mark.slow
PHONE = (320, 390)


@pytest.fixture(scope="module")
def case(clara: Desk, tmp_path_factory: pytest.TempPathFactory) -> Case:
    person = new_person("Brandvold", "Ingrid", 1966)
    return stored(clara, person, small_cbct(person, tmp_path_factory.mktemp("brandvold")))


# --- staff -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """A real installation whose owner has not come yet."""
    fresh = new_installation(tmp_path / "practice").start()
    yield fresh
    fresh.stop()


def test_an_owner_sets_up_the_practice_and_the_second_step(
    installation: Installation, screens: OpenScreen
) -> None:
    owner = Owner(installation)
    screen = screens("desk", at=installation)
    screen.expects = {422}
    page = screen.page
    page.goto(f"/setup/#{owner.link_token}")
    assert "#" not in page.url
    screen.looked_at("setup")
    page.get_by_role("button", name="Set up the practice").click()
    page.locator("main [role=alert]").wait_for()
    screen.looked_at("setup-errors")
    page.get_by_label("Name of the practice").fill("Cedar Dental")
    page.get_by_label("Phone of the front desk").fill("206-555-0119")
    page.get_by_label("Your name").fill("Nora Owner")
    page.get_by_label("E-mail").fill(owner.email)
    page.locator("[name=password]").fill(owner.password)
    page.locator("[name=repeat]").fill(owner.password)
    page.get_by_role("button", name="Set up the practice").click()
    page.wait_for_url(lambda url: "/setup/" not in url)
    sign_in_for_the_first_time(screen, owner)
    screen.looked_at("desk-recovery-codes")
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_text("No patients yet.").wait_for()
    screen.looked_at("desk-nobody-yet")


def sign_in_for_the_first_time(screen: Screen, owner: Owner) -> None:
    page = screen.page
    page.get_by_label("E-mail").fill(owner.email)
    page.get_by_label("Password").fill(owner.password)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/sign-in/app")
    screen.looked_at("desk-enrol")
    page.get_by_text("No camera?").click()
    app = Authenticator(page.locator("[data-secret]").inner_text())
    page.get_by_label("Code").fill(app.code())
    page.get_by_role("button", name="Turn it on").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()


def test_the_owner_looks_at_what_is_held_and_destroys_it(
    screens: OpenScreen, clara: Desk, omar: Desk, case: Case, tmp_path: Path
) -> None:
    stranger = new_person("Foreign", "Frida", 1951)
    told = clara.upload(case.chart, small_cbct(stranger, tmp_path)[:2])
    assert (told["studies"], told["quarantined"]) == ([], 1)
    screen = screens("desk", of=omar)
    screen.expects = {422}
    page = screen.page
    page.goto("/desk/quarantine/")
    held = page.locator("article", has_text="Brandvold, Ingrid").last
    expect(held).to_contain_text("Foreign")
    screen.looked_at("desk-quarantine")
    page.on("dialog", lambda dialog: dialog.accept())
    held.get_by_role("button", name="destroy the files").click()
    page.locator("main [role=alert]").first.wait_for()
    screen.looked_at("desk-quarantine-errors")
    held = page.locator("article", has_text="Brandvold, Ingrid").last
    held.get_by_label("Reason").fill("The disc held another patient's images.")
    held.get_by_role("button", name="destroy the files").click()
    page.get_by_text("The files were destroyed.").wait_for()


PRIVACY_PAGES = {
    "/desk/compliance/": "desk-compliance",
    "/desk/agreements/": "desk-agreements",
    "/desk/agreements/new": "desk-new-vendor",
}


def test_the_owners_other_pages(screens: OpenScreen, omar: Desk, case: Case) -> None:
    screen = screens("desk", of=omar)
    screen.expects = {404}
    page = screen.page
    page.goto("/desk/trail/")
    expect(page.locator("tbody tr").first).to_be_visible()
    screen.looked_at("desk-trail")
    for address, shot in PRIVACY_PAGES.items():
        page.goto(address)
        screen.looked_at(shot)
    page.goto("/account/")
    screen.looked_at("desk-account")
    study = re.search(f"/desk/studies/({UUID})/", omar.browser.get(case.chart.path).text)
    assert study
    page.goto(f"/desk/studies/{study[1]}/")
    screen.wait_for_picture()
    screen.looked_at("desk-viewer")
    page.goto(f"/desk/patients/{study[1]}/")
    screen.looked_at("desk-not-found")
    page.goto("/nowhere")
    screen.looked_at("desk-nowhere")


def test_who_may_not_is_told_so_and_who_is_not_signed_in_is_asked_to(
    screens: OpenScreen, clara: Desk
) -> None:
    screen = screens("desk", of=clara)
    screen.expects = {403}
    screen.page.goto("/desk/trail/")
    screen.looked_at("desk-not-allowed")
    nobody = screens("desk")
    nobody.page.goto("/desk/trail/")
    expect(nobody.page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_pages_of_the_demo(screens: OpenScreen) -> None:
    screen = screens("desk")
    screen.page.goto("/demo/")
    screen.page.locator("summary").first.click()
    screen.looked_at("demo", widths=(320, 390, 1280))
    screen.page.goto("/demo/outbox")
    screen.looked_at("demo-outbox", widths=(320, 390, 1280))


# --- links -----------------------------------------------------------------------------------------------------------


def test_a_link_that_nobody_knows(screens: OpenScreen) -> None:
    screen = screens("phone")
    screen.expects = {404, 410, 422}
    page = screen.page
    page.goto("/s/#tooshort")
    expect(page.get_by_text("The link is not complete.")).to_be_visible()
    screen.looked_at("link-incomplete", widths=PHONE)
    share_pages.open_link(screen, f"/s/#{'3' * 22}")
    expect(page.get_by_role("heading", name="Check this link")).to_be_visible()
    screen.looked_at("link-unknown", widths=PHONE)
    page.goto("/s/nowhere")
    screen.looked_at("link-nowhere", widths=PHONE)


def test_a_link_that_was_revoked_offers_to_ask_for_a_new_one(
    screens: OpenScreen, clara: Desk, case: Case
) -> None:
    link = clara.share(case.chart)
    clara.revoke(case.chart)
    screen = screens("phone")
    screen.expects = {410}
    share_pages.open_link(screen, link)
    assert "Ingrid" not in screen.page.locator("body").inner_text()
    share_pages.give_birthdate(screen, case.person.birthdate)
    expect(screen.page.get_by_text("Smile Dental has ended this link.")).to_be_visible()
    screen.looked_at("link-ended", widths=PHONE)
    with screen.page.expect_navigation():
        screen.page.get_by_role("button", name="Ask for a new link").click()
    expect(screen.page.get_by_role("status")).to_contain_text("They will send it.")
    screen.looked_at("link-asked", widths=PHONE)


def test_five_misses_lock_the_link_and_tell_the_desk(screens: OpenScreen, clara: Desk, case: Case) -> None:
    screen = screens("phone")
    screen.expects = {410, 422}
    share_pages.open_link(screen, clara.share(case.chart))
    for _ in range(5):
        share_pages.give_birthdate(screen, case.person.birthdate.replace(year=1967))
    expect(screen.page.locator("[role=alert]")).to_contain_text("The link is now locked.")
    expect(screen.page.locator("main form")).to_have_count(0)
    screen.looked_at("link-locked", widths=PHONE)
    desk = screens("desk", of=clara)
    desk.page.goto("/desk/")
    task = desk.page.locator("#tasks li", has_text="Brandvold, Ingrid").first
    expect(task).to_be_visible()
    desk.looked_at("desk-tasks")
    desk.page.goto(case.chart.path)
    expect(desk.page.locator("#shares .badge").first).to_have_text("Locked")
    desk.looked_at("desk-patient-locked")
