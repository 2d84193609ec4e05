"""P10 and P18 by hand: a letter instead of a telephone, and a scan its patient sends on; the pages of the record."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import share_pages
from tests.browser.conftest import OpenScreen
from tests.flows.desk import Desk
from tests.flows.installation import Installation
from tests.flows.invented import Case, new_person, small_cbct, stored

pytestmark = pytest.mark.slow
PHONE = (320, 390)


@pytest.fixture(scope="module")
def case(clara: Desk, tmp_path_factory: pytest.TempPathFactory) -> Case:
    person = new_person("Lindqvist", "Astrid", 1948)
    return stored(clara, person, small_cbct(person, tmp_path_factory.mktemp("lindqvist")))


def test_p10_a_letter_from_the_desk_to_the_scan(screens: OpenScreen, omar: Desk, case: Case) -> None:
    desk = screens("desk", of=omar)
    page = desk.page
    page.goto(f"{case.chart.path}share")
    page.get_by_label("The patient agrees to this").check()
    page.get_by_label("Printed letter").check()
    # What the last tick asks for, which leaving before it came would break.
    page.get_by_text("Nothing is sent.").wait_for()
    with page.expect_navigation(url="**/letter"):
        page.locator("#share-form aside button").click()
    desk.looked_at("desk-letter")
    with page.expect_navigation():
        page.get_by_role("button", name="Show it as a page to print").click()
    desk.looked_at("letter", widths=(390, 1280))
    key, code = page.locator(".secret").all_inner_texts()
    screen = screens("phone")
    screen.expects = {400, 422}
    screen.page.goto("/s/paste")
    screen.page.get_by_label("The link from your message").fill(key)
    share_pages.submit(screen)
    share_pages.give_birthdate(screen, case.person.birthdate)
    expect(screen.page.get_by_role("heading", name="Type the code from the slip")).to_be_visible()
    screen.looked_at("slip", widths=PHONE)
    share_pages.give_code(screen, "0000-0000-00001")
    expect(screen.page.locator("[role=alert]")).to_contain_text("Please check the slip.")
    screen.looked_at("slip-errors", widths=PHONE)
    share_pages.give_code(screen, code.lower())
    screen.wait_for_picture()


def test_p18_the_patient_sends_it_on_and_ends_it(
    screens: OpenScreen, demo: Installation, clara: Desk, case: Case
) -> None:
    screen = screens("phone")
    screen.expects = {400, 401, 403, 410}
    own = clara.share(case.chart)
    share_pages.walk_in(screen, demo, own, born=case.person.birthdate, address=case.person.phone)
    page, address = screen.page, "vera.holm@second.example"
    page.get_by_role("link", name="Send to a dentist").click()
    screen.looked_at("pass-on", widths=PHONE)
    share_pages.submit(screen)
    screen.looked_at("pass-on-errors", widths=PHONE)
    page.get_by_label("Name of the dentist").fill("Dr. Vera Holm")
    page.get_by_label("Their e-mail or mobile number").fill(address)
    before = len(demo.outbox())
    share_pages.submit(screen)
    expect(page.get_by_text("Dr. Vera Holm").first).to_be_visible()
    screen.looked_at("passed-on", widths=PHONE)
    dentist = screens("desk")
    dentist.expects = {401, 410}
    share_pages.open_link(dentist, demo.next_message(address, after=before, kind="link").link)
    dentist.page.get_by_label("Your e-mail address or mobile number").fill(address)
    share_pages.submit(dentist)
    before = len(demo.outbox())
    share_pages.give_code(dentist, share_pages.ask_code(dentist, demo, address))
    dentist.wait_for_picture()
    notice = demo.next_message(case.person.phone, after=before, kind="notice")
    assert "has opened it" in notice.body
    with page.expect_navigation():
        page.get_by_role("button", name="End it now").click()
    expect(page.get_by_text("It has ended.")).to_be_visible()
    dentist.page.goto("/s/view")
    expect(dentist.page.locator("#viewer")).to_have_count(0)


RECORD_PAGES = ("rights", "timeline", "accounting", "requests")


def test_the_records_pages(screens: OpenScreen, omar: Desk, case: Case, tmp_path: Path) -> None:
    screen = screens("desk", of=omar)
    screen.expects = {422}
    page = screen.page
    for name in RECORD_PAGES:
        page.goto(f"{case.chart.path}{name}")
        screen.looked_at(f"desk-{name}")
    with page.expect_navigation(url="**/desk/requests/"):
        page.get_by_role("button", name="Note the request").click()
    screen.looked_at("desk-access-requests")
    page.goto(f"{case.chart.path}rights")
    page.get_by_text("Place a hold").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Place the hold").click()
    screen.looked_at("desk-rights-errors")
