"""Pages that ask who is there again: a code of the app, given not long ago."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from portal.accounts.models import User
from portal.accounts.step_up import FORM_OPEN_FOR, FRESH_FOR
from portal.audit.models import AuditEntry
from tests.cast import signed_in
from tests.portal.accounts.steps import code_of

pytestmark = pytest.mark.django_db

STAFF = "/desk/staff/"


@pytest.fixture
def omar_at_work(omar: User, clock: Any) -> Client:
    """The owner, some time after she signed in."""
    browser = signed_in(omar)
    clock.advance(seconds=FRESH_FOR.total_seconds() + 1)
    return browser


def test_a_page_about_accounts_asks_for_a_code_and_goes_on(omar_at_work: Client, omar: User) -> None:
    asked = omar_at_work.get(STAFF)
    assert (asked.status_code, asked["Location"]) == (302, "/account/confirm?next=%2Fdesk%2Fstaff%2F")
    given = omar_at_work.post("/account/confirm", {"code": code_of(omar), "next": STAFF})
    assert (given.status_code, given["Location"]) == (302, STAFF)
    assert omar_at_work.get(STAFF).status_code == 200
    assert AuditEntry.objects.filter(code="staff.stepped-up").count() == 1


def test_exporting_the_trail_asks_and_leads_back_to_it(omar_at_work: Client, omar: User) -> None:
    """The answer to a form can't be kept until the code is given, so the way leads back to the form."""
    asked = omar_at_work.post("/desk/trail/export", {"format": "csv"})
    assert (asked.status_code, asked["Location"]) == (302, "/account/confirm?next=%2Fdesk%2Ftrail%2F")
    assert not AuditEntry.objects.filter(code="audit.exported").exists()
    omar_at_work.post("/account/confirm", {"code": code_of(omar), "next": "/desk/trail/"})
    assert omar_at_work.post("/desk/trail/export", {"format": "csv"}).status_code == 200


def test_other_pages_do_not_ask(omar_at_work: Client) -> None:
    assert omar_at_work.get("/account/").status_code == 200


def test_a_wrong_code_is_refused_and_noted(omar_at_work: Client, omar: User) -> None:
    wrong = f"{(int(code_of(omar)) + 1) % 10**6:06}"
    refused = omar_at_work.post("/account/confirm", {"code": wrong, "next": STAFF})
    assert refused.status_code == 422
    assert omar_at_work.get(STAFF).status_code == 302
    assert AuditEntry.objects.filter(code="staff.step-up-refused").exists()


def test_a_form_that_was_opened_in_time_may_be_sent(omar: User, clock: Any) -> None:
    browser = signed_in(omar)
    form = {"name": "Nia New", "email": "nia@smile.example", "role": "front_desk"}
    clock.advance(seconds=FRESH_FOR.total_seconds() + 60)
    assert browser.post(f"{STAFF}new", form).status_code == 200, "the link to hand over"
    browser.get("/account/")  # at work all the time, so that the session doesn't idle out
    clock.advance(seconds=FORM_OPEN_FOR.total_seconds() - 360)
    browser.get("/account/")
    clock.advance(seconds=400)
    assert (
        browser.post(f"{STAFF}new", {**form, "email": "ned@smile.example"})["Location"] == "/account/confirm"
    )


def test_a_script_is_told_where_to_get_a_new_code(omar_at_work: Client) -> None:
    told = omar_at_work.get(STAFF, headers={"accept": "application/json"})
    assert (told.status_code, told.json()["next"]) == (403, "/account/confirm")


@pytest.mark.parametrize("page", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_it_never_leads_to_another_site(omar_at_work: Client, omar: User, page: str) -> None:
    given = omar_at_work.post("/account/confirm", {"code": code_of(omar), "next": page})
    assert given["Location"] == "/home"
