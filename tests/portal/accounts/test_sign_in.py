"""Signing in with a password and a code; the session that follows, and its end."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session

from portal.accounts.models import Role, User
from portal.accounts.sign_in import CODE_REFUSED, REFUSED
from portal.audit.models import AuditEntry
from portal.practice.models import Membership, Practice
from tests.cast import make_staff, signed_in
from tests.conftest import MovableClock
from tests.portal.accounts.steps import browser, code_of, give_code, give_password, is_in

pytestmark = pytest.mark.django_db


def codes_of_trail(practice: Practice) -> list[str]:
    return list(
        AuditEntry.objects.filter(practice_id=practice.pk).order_by("n").values_list("code", flat=True)
    )


def test_password_and_code_open_the_desk(dana: User, smile: Practice) -> None:
    client = browser()
    assert give_password(client, dana)["Location"] == "/sign-in/code"
    assert not is_in(client)
    assert give_code(client, code_of(dana))["Location"] == "/home"
    assert client.get("/home")["Location"] == "/desk/"
    assert codes_of_trail(smile)[-1] == "staff.signed-in"


def test_sign_in_goes_back_to_the_page_that_was_asked_for(dana: User) -> None:
    client = browser()
    sent_away = client.get("/account/")
    assert sent_away["Location"] == "/?next=%2Faccount%2F"
    assert b'value="/account/"' in client.get(sent_away["Location"]).content
    give_password(client, dana, next="/account/")
    assert give_code(client, code_of(dana))["Location"] == "/account/"


@pytest.mark.parametrize(
    "page", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_sign_in_never_leads_to_another_site(dana: User, page: str) -> None:
    client = browser()
    give_password(client, dana, next=page)
    assert give_code(client, code_of(dana))["Location"] == "/home"


def test_wrong_password_and_unknown_account_are_answered_alike(dana: User) -> None:
    wrong = browser().post("/", {"email": dana.email, "password": "wrong horse battery staple"})
    unknown = browser().post("/", {"email": "nobody@smile.example", "password": "wrong horse battery staple"})
    assert wrong.status_code == unknown.status_code == 422
    assert REFUSED in wrong.content.decode()
    assert REFUSED in unknown.content.decode()


def test_unknown_account_costs_a_password_hash_too(dana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    original = User.set_password
    monkeypatch.setattr(User, "set_password", lambda self, raw: hashed.append(raw) or original(self, raw))
    browser().post("/", {"email": "nobody@smile.example", "password": "guess"})
    assert hashed == ["guess"]


def test_refused_sign_in_stands_in_the_trail_of_the_practice(dana: User, smile: Practice) -> None:
    client = browser()
    give_password(client, dana, "wrong horse battery staple")
    give_password(client, dana)
    assert CODE_REFUSED in give_code(client, "000000").content.decode()
    refusals = AuditEntry.objects.filter(practice_id=smile.pk, code="staff.sign-in-refused", actor_id=dana.pk)
    assert refusals.count() == 2
    assert {entry.outcome for entry in refusals} == {"refused"}


def test_case_and_spaces_of_the_address_do_not_matter(dana: User) -> None:
    response = browser().post(
        "/", {"email": f" {dana.email.upper()} ", "password": "correct horse battery staple"}
    )
    assert response["Location"] == "/sign-in/code"


def test_code_page_opens_only_after_the_password(dana: User) -> None:
    assert browser().get("/sign-in/code")["Location"].startswith("/?")
    assert give_code(browser(), code_of(dana))["Location"] == "/"


def test_password_alone_is_worth_ten_minutes(dana: User, clock: MovableClock) -> None:
    client = browser()
    give_password(client, dana)
    clock.advance(minutes=11)
    assert give_code(client, code_of(dana))["Location"] == "/"
    assert not is_in(client)


def test_session_key_changes_at_each_step_and_is_not_what_the_database_holds(dana: User) -> None:
    client = browser()
    give_password(client, dana)
    before = client.cookies["staff"].value
    give_code(client, code_of(dana))
    after = client.cookies["staff"].value
    assert before != after
    names = set(Session.objects.values_list("session_key", flat=True))
    assert len(names) == 1
    assert after not in names


def test_cookie_of_the_first_step_opens_nothing_afterwards(dana: User) -> None:
    client, thief = browser(), browser()
    give_password(client, dana)
    thief.cookies["staff"] = client.cookies["staff"].value
    give_code(client, code_of(dana))
    assert not is_in(thief)


def test_disabled_account_is_refused_like_an_unknown_one(dana: User) -> None:
    User.objects.filter(pk=dana.pk).update(is_active=False)
    assert REFUSED in give_password(browser(), dana).content.decode()


def test_account_disabled_between_password_and_code_stays_out(dana: User) -> None:
    client = browser()
    give_password(client, dana)
    User.objects.filter(pk=dana.pk).update(is_active=False)
    assert give_code(client, code_of(dana))["Location"] == "/"


def test_disabling_an_account_ends_its_open_session(dana: User) -> None:
    client = signed_in(dana)
    assert is_in(client)
    User.objects.filter(pk=dana.pk).update(is_active=False)
    assert not is_in(client)


def test_someone_who_left_the_practice_is_told_so(dana: User) -> None:
    client = browser()
    give_password(client, dana)
    Membership.objects.filter(user=dana).update(is_active=False)
    response = give_code(client, code_of(dana))
    assert response.status_code == 403
    assert "belongs to no practice" in response.content.decode()
    assert not is_in(client)


def test_r6_fifteen_idle_minutes_end_the_session(dana: User, clock: MovableClock) -> None:
    client = signed_in(dana)
    clock.advance(minutes=14)
    assert is_in(client)
    clock.advance(minutes=14)
    assert is_in(client)
    clock.advance(minutes=16)
    assert not is_in(client)


def test_a_page_that_refreshes_itself_keeps_nobody_signed_in(dana: User, clock: MovableClock) -> None:
    client = signed_in(dana)
    for _ in range(3):
        clock.advance(minutes=5)
        client.get("/desk/tasks", headers={"X-Background": "1"})
    clock.advance(minutes=1)
    assert not is_in(client)


def test_twelve_hours_end_the_session_however_busy_it_is(dana: User, clock: MovableClock) -> None:
    client = signed_in(dana)
    for _ in range(12 * 6):
        clock.advance(minutes=10)
        client.get("/account/")
    clock.advance(minutes=1)
    assert not is_in(client)


def test_signing_out_ends_the_session_and_stands_in_the_trail(dana: User, smile: Practice) -> None:
    client = signed_in(dana)
    cookie = client.cookies["staff"].value
    assert client.get("/sign-out").status_code == 405
    client.post("/sign-out")
    client.cookies["staff"] = cookie
    assert not is_in(client)
    assert codes_of_trail(smile)[-1] == "staff.signed-out"


def test_referring_dentist_lands_on_their_account(smile: Practice) -> None:
    client = signed_in(make_staff(smile, Role.REFERRING_DENTIST, "Riley Chen"))
    assert client.get("/home")["Location"] == "/account/"
    assert client.get("/desk/").status_code == 403


def test_form_says_what_is_missing(db: None) -> None:
    page = browser().post("/", {"email": "not an address", "password": ""}).content.decode()
    assert "This is not an e-mail address." in page
    assert "Enter your password." in page
