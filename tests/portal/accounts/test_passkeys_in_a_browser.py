"""Passkeys in a real browser with a virtual device: made, used for the sign-in and for what needs a fresh proof."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.accounts.models import User
from tests.cast import PASSWORD
from tests.conftest import MovableClock
from tests.sharing.test_desk_in_a_browser import chromium, enter, looked_at, page

__all__ = ["chromium", "page"]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def with_device(page: Page, *, verified: bool = True) -> tuple[Any, str]:
    """Chromium's own authenticator, as its developer tools make one (CDP, WebAuthn domain)."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    made = tools.send("WebAuthn.addVirtualAuthenticator", {"options": {**DEVICE, "isUserVerified": verified}})
    return tools, made["authenticatorId"]


def test_passkey_is_made_and_opens_the_door(
    page: Page, live_server: Any, omar: User, settings: Any, clock: MovableClock
) -> None:
    settings.PUBLIC_BASE_URL = live_server.url
    tools, device = with_device(page)
    enter(page, omar).goto("/account/")
    looked_at(page, "account-without-passkey")
    page.get_by_label("Name of the device").fill("Front desk computer")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("status").or_(page.locator(".notice")).first).to_contain_text(
        "The passkey is added"
    )
    assert len(tools.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]) == 1
    looked_at(page, "account-with-passkey")

    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_label("Name of the device").fill("The same again")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("form[data-passkey] [role=alert]")).to_have_text(
        "This device has a passkey for you already."
    )

    page.get_by_role("button", name="Sign out").click()
    page.fill("#id_email", omar.email)
    page.fill("#id_password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in/code")
    looked_at(page, "second-step-with-passkey")
    tools.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.locator("form[data-passkey] [role=alert]")).to_contain_text("Nothing was confirmed")
    tools.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": True})
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url("**/desk/")

    clock.advance(minutes=11)
    page.goto("/desk/staff/")
    page.wait_for_url("**/account/confirm?next=*")
    looked_at(page, "confirm-with-passkey")
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url("**/desk/staff/")
