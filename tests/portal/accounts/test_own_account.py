"""One's own account: the browsers one is signed in with, the password, and asking for more time."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from tests.cast import PASSWORD, signed_in

pytestmark = pytest.mark.django_db

NEW = "seven quiet herons by the lake"


def change(browser: Any, **fields: str) -> Any:
    return browser.post("/account/password", {"current": PASSWORD, "password": NEW, "repeat": NEW, **fields})


def test_every_browser_is_listed_and_the_others_can_be_ended(dana: User, olga: User) -> None:
    here, there, foreign = signed_in(dana), signed_in(dana), signed_in(olga)
    page = here.get("/account/").content.decode()
    assert page.count("Signed in <span") == 2
    assert page.count("This browser") == 1
    here.post("/account/sessions/end")
    assert here.get("/account/").status_code == 200
    assert there.get("/account/").status_code == 302
    assert foreign.get("/account/").status_code == 200
    assert AuditEntry.objects.filter(code="staff.sessions-ended").count() == 1


def test_a_new_password_needs_the_old_one_and_ends_the_other_browsers(dana: User) -> None:
    here, there = signed_in(dana), signed_in(dana)
    assert change(here, current="not this one at all").status_code == 422
    assert there.get("/account/").status_code == 200
    assert change(here).status_code == 302
    assert here.get("/account/").status_code == 200
    assert there.get("/account/").status_code == 302
    dana.refresh_from_db()
    assert dana.check_password(NEW)
    assert AuditEntry.objects.filter(code="staff.password-changed").count() == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password": "short", "repeat": "short"}, "at least 15"),
        ({"password": "passwordpassword", "repeat": "passwordpassword2"}, "differ"),
        ({"password": "Dana Desk Dana 1", "repeat": "Dana Desk Dana 1"}, "too similar"),
    ],
)
def test_a_weak_password_is_refused_in_words(dana: User, fields: dict[str, str], said: str) -> None:
    refused = change(signed_in(dana), **fields)
    assert refused.status_code == 422
    assert said in refused.content.decode()


def test_asking_for_more_time_keeps_the_session(dana: User, clock: Any) -> None:
    browser = signed_in(dana)
    for _ in range(3):
        clock.advance(seconds=settings.STAFF_IDLE_S - 60)
        assert browser.post("/account/stay").status_code == 204
    clock.advance(seconds=settings.STAFF_IDLE_S + 1)
    assert browser.get("/account/").status_code == 302


def test_every_page_of_the_desk_says_when_it_idles_out(dana: User) -> None:
    page = signed_in(dana).get("/account/").content.decode()
    assert f'data-idle-s="{settings.STAFF_IDLE_S}"' in page
    assert "I need more time" in page
