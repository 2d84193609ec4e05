"""Hiring in a real browser: from the owner's form to the new colleague's first page, and nothing axe minds."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from portal.accounts.models import Role, User
from portal.practice.models import Practice
from portal.practice.staff import hire
from portal.records.models import Patient
from tests.cast import actor_of
from tests.portal.accounts.steps import code_of
from tests.sharing.test_desk_in_a_browser import enter, looked_at
from tests.viewer.conftest import made_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "seven quiet otters sail"


@pytest.mark.slow
def test_owner_hires_and_the_newcomer_comes_in(
    page: Page, chromium: Browser, live_server: Any, omar: User, settings: Any
) -> None:
    settings.PUBLIC_BASE_URL = live_server.url
    enter(page, omar).goto("/desk/")
    page.get_by_role("link", name="Staff").click()
    page.get_by_role("link", name="Add someone").click()
    expect(page.locator("#id_name")).to_be_focused()
    page.get_by_role("button", name="Make the link").click()
    expect(page.locator(".summary-of-errors")).to_be_focused()
    looked_at(page, "new-member-errors")
    page.get_by_label("Name").fill("Nia New")
    page.get_by_label("E-mail").fill("nia@smile.example")
    page.get_by_role("radio", name="Front desk").check()
    page.get_by_role("button", name="Make the link").click()
    page.locator("[data-invitation]").wait_for()
    looked_at(page, "invitation-link")
    come_in(
        chromium.new_context(base_url=live_server.url).new_page(),
        page.locator("[data-invitation]").inner_text(),
    )
    page.get_by_role("link", name="I have kept it").click()
    expect(page.locator(".member", has_text="Nia New").locator(".badge")).to_have_text("Active")


def come_in(page: Page, link: str) -> None:
    """What the newcomer does with the link."""
    page.goto(link)
    expect(page.locator("#id_password")).to_be_focused()
    assert "#" not in page.url
    expect(page.locator("#id_token")).to_be_hidden()
    looked_at(page, "invitation")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in/app")
    looked_at(page, "invitation-enrol")
    page.fill("#id_code", code_of(User.objects.get(email="nia@smile.example")))
    page.keyboard.press("Enter")
    page.get_by_role("link", name="I have kept them").click()
    page.wait_for_url("**/desk/")
    page.context.close()


@pytest.mark.slow
def test_closing_an_account_asks_first(page: Page, omar: User, dana: User) -> None:
    enter(page, omar).goto(reverse("member", args=[dana.memberships.get().pk]))
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Close the account").click()
    assert dana.memberships.get().is_active
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Close the account").click()
    expect(page.locator(".page-head .badge")).to_have_text("Closed")
    looked_at(page, "member-closed")


@pytest.mark.slow
def test_axe_minds_nothing_on_the_staff_pages(
    page: Page, omar: User, dana: User, clara: User, olga: User, smile: Practice
) -> None:
    clara.totpdevice_set.all().delete()
    olga.memberships.update(is_active=False)
    long_name = "Bartholomew Featherstonehaugh-Vandenberghe"
    email = "bartholomew.featherstonehaugh-vandenberghe@endodontics-of-the-north.example"
    invited, _ = hire(name=long_name, email=email, role=Role.REFERRING_DENTIST, actor=actor_of(omar))
    enter(page, omar)
    pages = {"staff": None, "member": dana, "member-oneself": omar}
    for name, user in pages.items():
        page.goto(reverse("member", args=[user.memberships.get().pk]) if user else reverse("staff"))
        looked_at(page, name)
    page.goto(reverse("member", args=[invited.pk]))
    looked_at(page, "member-invited")


def test_viewer_leads_back_to_the_patient(page: Page, dana: User, pat: Patient) -> None:
    study = made_study(pat).study
    enter(page, dana).goto(reverse("desk_study", kwargs={"study": study.pk}))
    looked_at(page, "desk-viewer")
    page.get_by_role("link", name="Back to the patient").click()
    page.wait_for_url(f"**/desk/patients/{pat.pk}/")
