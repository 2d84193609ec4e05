"""Reasons, retention, legal holds, connections, a screen handed over: nothing axe minds, and nothing sticks out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from portal.accounts.models import User
from portal.practice.models import Practice
from portal.records import relation, retention
from portal.records.models import Patient
from tests.cast import actor_of
from tests.conftest import MovableClock
from tests.portal.accounts.steps import code_of
from tests.sharing.test_desk_in_a_browser import chromium, enter, looked_at, page
from tests.viewer.conftest import made_study

__all__ = ["chromium", "page"]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PICTURES = os.environ.get("SCANPASS_PICTURES")
TABLETS = ((820, 1180), (1180, 820))


def test_f11_reason_is_asked_for_and_the_images_open(
    page: Page, live_server: Any, clara: User, pat: Patient, clock: MovableClock
) -> None:
    relation.forget()
    study = made_study(pat).study
    clock.advance(days=31)
    enter(page, clara).goto(reverse("patient", args=[pat.pk]))
    expect(page.locator("#record")).to_contain_text("says why first")
    page.get_by_role("link", name="Open", exact=True).click()
    page.wait_for_url("**/why?next=*")
    page.get_by_role("button", name="Open the images").click()
    looked_at(page, "break-glass-errors")
    page.get_by_label("Reason").fill("Called in with a swollen cheek")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/studies/{study.pk}/")


def test_axe_minds_nothing_on_retention_holds_and_connections(
    page: Page, live_server: Any, omar: User, pat: Patient, smile: Practice, clock: MovableClock
) -> None:
    made_study(pat)
    retention.set_years(smile, 6, actor=actor_of(omar))
    retention.place_legal_hold(pat, reason="Letter of the county court", actor=actor_of(omar))
    clock.advance(days=365 * 6 - 20)
    enter(page, omar)
    for name, address in {
        "retention": reverse("retention"),
        "legal-hold": reverse("legal_holds", args=[pat.pk]),
        "patient-held": reverse("patient", args=[pat.pk]),
        "connections": reverse("connections"),
    }.items():
        page.goto(address)
        looked_at(page, name)


def test_r31_tablet_is_handed_over_and_taken_back(
    page: Page, live_server: Any, clara: User, pat: Patient
) -> None:
    relation.forget()
    made_study(pat)
    enter(page, clara).goto(reverse("patient", args=[pat.pk]))
    looked_at(page, "patient-with-show")
    page.get_by_role("button", name="Show to the patient").click()
    page.wait_for_url("**/desk/studies/*/")
    expect(page.get_by_role("navigation", name="Desk")).to_have_count(0)
    for width, height in TABLETS:
        page.set_viewport_size({"width": width, "height": height})
        assert page.locator("html").evaluate("html => html.scrollWidth") <= width
        stage = page.locator("[data-part=stage]").bounding_box()
        assert stage
        assert stage["width"] * stage["height"] > 0.4 * width * height, "the picture has the screen"
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"chairside-{width}.png")
    page.get_by_role("link", name="Back to the patient").click()
    page.wait_for_url("**/account/confirm?next=*")
    looked_at(page, "chairside-confirm")
    page.fill("#id_code", code_of(clara))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/patients/{pat.pk}/")
    expect(page.get_by_role("navigation", name="Desk")).to_be_visible()
