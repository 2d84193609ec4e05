"""A session that ends in the midst of a form: its writer finds what they typed, and nobody else ever does."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client

from portal.accounts.models import User
from portal.accounts.sessions import SessionStore
from portal.audit.models import AuditEntry
from portal.records.models import Patient
from tests.cast import signed_in
from tests.conftest import MovableClock
from tests.portal.accounts.steps import code_of, give_code, give_password

pytestmark = pytest.mark.django_db

PAGE = "/desk/patients/new"
TYPED = {"family_name": "Brandvold", "given_name": "Ingrid", "birthdate": "1966-05-04", "language": "es"}


def at_work(user: User) -> Client:
    """A browser whose session knows the practice, as a real sign-in leaves it."""
    client = signed_in(user)
    session = client.session
    session["practice"] = str(user.memberships.get().practice_id)
    session.save()
    return client


def too_late(user: User, clock: MovableClock, page: str = PAGE, **typed: str) -> tuple[Client, HttpResponse]:
    """The form is sent when the session has idled out; nothing of it is done."""
    client = at_work(user)
    clock.advance(seconds=settings.STAFF_IDLE_S + 1)
    return client, client.post(page, typed or TYPED, headers={"referer": f"http://127.0.0.1{page}"})


def back_in(client: Client, user: User) -> HttpResponse:
    give_password(client, user, next=PAGE)
    return give_code(client, code_of(user))


def put_back(client: Client, page: str = PAGE) -> dict[str, Any] | None:
    shown = client.get(page).content.decode()
    found = re.search(r'<script id="unsent" type="application/json">(.*?)</script>', shown)
    return json.loads(found[1]) if found else None


def test_r6_what_was_sent_too_late_waits_for_its_writer_once(dana: User, clock: MovableClock) -> None:
    client, answer = too_late(dana, clock)
    assert answer["Location"] == "/?next=%2Fdesk%2Fpatients%2Fnew"
    assert not Patient.objects.exists()
    assert back_in(client, dana)["Location"] == PAGE
    assert put_back(client, "/desk/dentists/") is None, "another page has another form"
    again = put_back(client)
    assert again == {"action": PAGE, "fields": [[name, value] for name, value in TYPED.items()]}
    assert put_back(client) is None


def test_a_page_that_idles_out_ends_the_session_and_hands_its_form_in(dana: User) -> None:
    """The server counts from a little later than the page, so it would take asking for the page again as using it."""
    client = at_work(dana)
    client.get(PAGE)
    at = {"unsent-page": f"{PAGE}?x=1", "unsent-action": PAGE}
    assert client.post("/account/idled-out", {**TYPED, **at}).status_code == 204
    assert client.get(PAGE).status_code == 302
    assert AuditEntry.objects.get(code="staff.signed-out").actor_id == dana.pk
    back_in(client, dana)
    assert (put_back(client) or {})["fields"][0] == ["family_name", "Brandvold"]


def test_somebody_else_at_the_same_browser_gets_nothing_of_it(
    dana: User, omar: User, clock: MovableClock
) -> None:
    client, _ = too_late(dana, clock)
    back_in(client, omar)
    assert put_back(client) is None
    assert "unsent" not in client.session


def test_after_an_hour_it_is_gone(dana: User, clock: MovableClock) -> None:
    client, _ = too_late(dana, clock)
    clock.advance(seconds=3601)
    back_in(client, dana)
    assert put_back(client) is None


def test_r1_it_lies_sealed(dana: User, clock: MovableClock) -> None:
    too_late(dana, clock)
    kept = [SessionStore().decode(row.session_data) for row in Session.objects.all()]
    assert any("unsent" in content for content in kept)
    assert "Brandvold" not in str(kept)
    assert dana.email not in str(kept)


@pytest.mark.parametrize(
    ("page", "typed"),
    [
        ("/account/password", {"current": "secret", "password": "secret too"}),
        ("/account/confirm", {"code": "123456"}),
        (PAGE, {"family_name": "x" * 40_000}),
        (PAGE, {"family_name": ""}),
    ],
)
def test_no_secret_and_no_flood_is_kept(
    dana: User, clock: MovableClock, page: str, typed: dict[str, str]
) -> None:
    client, answer = too_late(dana, clock, page, **typed)
    assert answer.status_code == 302
    assert "unsent" not in client.session


def test_what_a_page_asks_by_itself_is_not_a_form(dana: User, clock: MovableClock) -> None:
    client = at_work(dana)
    clock.advance(seconds=settings.STAFF_IDLE_S + 1)
    client.post("/desk/find", {"text": "Garcia"}, headers={"HX-Request": "true"})
    assert "unsent" not in client.session


def test_a_form_from_before_another_tab_signed_in_anew_is_put_back(dana: User) -> None:
    client = at_work(dana)
    strict = Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1"})
    strict.cookies = client.cookies
    old = {**TYPED, "csrfmiddlewaretoken": "of the session before"}
    from_elsewhere = {"referer": "https://evil.example/", "sec-fetch-site": "cross-site"}
    assert strict.post(PAGE, old, headers=from_elsewhere).status_code == 403
    assert "unsent" not in client.session
    answer = strict.post(
        PAGE, old, headers={"referer": f"http://127.0.0.1{PAGE}", "sec-fetch-site": "same-origin"}
    )
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert not Patient.objects.exists()
    assert (put_back(client) or {})["fields"][0] == ["family_name", "Brandvold"]
