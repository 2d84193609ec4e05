"""What someone with a link does on the screen."""

from __future__ import annotations

from datetime import date

from tests.browser.screen import Screen
from tests.flows.installation import Installation


def open_link(screen: Screen, link: str) -> None:
    """The landing page and the tap on its button."""
    page = screen.page
    page.goto(link)
    page.locator("[data-open-form] button").click()
    page.wait_for_url(lambda url: "/s/birthdate" in url or "/s/address" in url)


def give_birthdate(screen: Screen, born: date) -> None:
    for name, value in (("month", born.month), ("day", born.day), ("year", born.year)):
        screen.page.locator(f"#{name}").fill(str(value))
    submit(screen)


def submit(screen: Screen) -> None:
    """The page's one button; waits for what it leads to."""
    with screen.page.expect_navigation():
        screen.page.locator("main form.form button.button-primary").first.click()


def ask_code(screen: Screen, demo: Installation, address: str) -> str:
    """Press the button for a code and read it where it went."""
    before = len(demo.outbox())
    submit(screen)
    screen.page.wait_for_url("**/s/code/verify")
    return demo.next_message(address, after=before, kind="code").code


def give_code(screen: Screen, code: str) -> None:
    screen.page.locator("#code").fill(code)
    submit(screen)


def walk_in(screen: Screen, demo: Installation, link: str, *, born: date, address: str) -> None:
    """From the link to the picture, without looking around."""
    open_link(screen, link)
    give_birthdate(screen, born)
    give_code(screen, ask_code(screen, demo, address))
    screen.page.wait_for_url("**/s/view")
