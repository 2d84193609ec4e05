"""Somebody new: the owner's form, the link handed over, the password chosen, the app set up."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from portal.accounts.models import Role, User
from portal.audit.models import AuditEntry
from portal.audit.reading import latest
from portal.errors import Gone
from portal.practice.invitations import accept_invitation
from portal.practice.models import Invitation, Membership, Practice
from portal.practice.staff import hire
from tests.cast import actor_of, signed_in
from tests.conftest import MovableClock
from tests.portal.accounts.steps import browser, code_of, give_password, is_in

pytestmark = pytest.mark.django_db
PASSWORD = "seven quiet otters sail"
NIA = {"name": "Nia New", "email": "Nia@Smile.Example", "role": "front_desk"}


def add(owner: User, **other: str) -> HttpResponse:
    return signed_in(owner).post("/desk/staff/new", {**NIA, **other})


def shown_token(page: HttpResponse) -> str:
    """What stands after the # of the link on the page."""
    found = re.search(r"data-invitation>http[^#<]+/invitation/#([\w-]+)<", page.content.decode())
    assert found
    return found[1]


def join(client: Client, token: str, password: str = PASSWORD, repeat: str | None = None) -> HttpResponse:
    return client.post("/invitation/", {"token": token, "password": password, "repeat": repeat or password})


@pytest.fixture
def token(omar: User) -> str:
    return shown_token(add(omar))


def nia() -> User:
    return User.objects.get(email="nia@smile.example")


# --- the whole way -------------------------------------------------------------------------------------------------


def test_from_the_form_to_the_first_day_at_work(smile: Practice, omar: User) -> None:
    token = shown_token(add(omar))
    client = browser()
    assert client.get("/invitation/").status_code == 200
    assert join(client, token)["Location"] == "/sign-in/app"
    assert not is_in(client), "a password alone opens nothing"
    assert "nia@smile.example" in client.get("/sign-in/app").content.decode()
    assert client.post("/sign-in/app", {"code": code_of(nia())}).status_code == 200
    assert client.get("/desk/").status_code == 200
    assert nia().memberships.get().role == Role.FRONT_DESK
    words = [entry.words for entry in reversed(latest(smile.pk, 20))]
    came = ["Member of staff added", "Invitation link made", "Invitation accepted", "Second factor enrolled"]
    assert [said for said in words if said in came][-4:] == came


def test_link_is_shown_once_and_only_its_hash_is_kept(omar: User, token: str) -> None:
    assert len(token) == 22  # 128 bits
    assert token.encode() not in bytes(Invitation.objects.get().token_hmac)
    member = nia().memberships.get()
    assert token not in signed_in(omar).get(f"/desk/staff/{member.pk}/").content.decode()
    assert not any(token.encode() in bytes(entry.event) for entry in AuditEntry.objects.all())


def test_nobody_signs_in_before_choosing_a_password(token: str) -> None:
    for password in ("", "!", PASSWORD):
        assert give_password(browser(), nia(), password).status_code == 422


def test_trail_says_who_added_whom(smile: Practice, omar: User, token: str) -> None:
    added = next(entry for entry in latest(smile.pk, 5) if entry.words == "Member of staff added")
    assert (added.who, added.private["name"]) == ("Omar Owner", "Nia New")


# --- the owner's form ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"name": " "}, "Enter the name."),
        ({"email": ""}, "Enter the e-mail address."),
        ({"email": "nia"}, "This is not an e-mail address."),
        ({"role": ""}, "Choose a role."),
        ({"role": "king"}, "Choose one of the roles."),
    ],
)
def test_form_says_what_to_correct(omar: User, other: dict[str, str], sentence: str) -> None:
    refused = add(omar, **other)
    assert refused.status_code == 422
    assert sentence in refused.content.decode()
    assert Membership.objects.count() == 1


def test_address_in_use_anywhere_gets_the_same_words(omar: User, dana: User, mallory: User) -> None:
    for taken in (dana.email, mallory.email, mallory.email.upper(), omar.email):
        refused = add(omar, email=taken)
        assert refused.status_code == 422
        assert "This e-mail address can&#x27;t be added. Use another one." in refused.content.decode()
    assert mallory.memberships.count() == 1
    assert not Invitation.objects.exists()


def test_every_role_is_explained(omar: User) -> None:
    page = signed_in(omar).get("/desk/staff/new").content.decode()
    for role in Role:
        assert role.label in page
    assert page.count('class="hint">') >= len(Role)


# --- the link ------------------------------------------------------------------------------------------------------


def test_link_works_once(token: str) -> None:
    assert join(browser(), token).status_code == 302
    assert join(browser(), token, "another four words here").status_code == 410
    assert nia().check_password(PASSWORD)


@pytest.mark.django_db(transaction=True)
def test_link_opened_eight_times_at_once_works_once(omar: User, token: str) -> None:
    barrier = Barrier(8)

    def use(_: int) -> bool:
        try:
            barrier.wait()
            accept_invitation(token, password=PASSWORD, address="")
            return True
        except Gone:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use, range(8))) == 1
    assert AuditEntry.objects.filter(code="staff.joined").count() == 1


def test_link_lasts_three_days(token: str, clock: MovableClock) -> None:
    clock.advance(hours=71, minutes=59)
    assert "Choose a password." in join(browser(), token, "").content.decode()
    clock.advance(minutes=2)
    assert join(browser(), token).status_code == 410
    assert not nia().has_usable_password()


def test_new_link_ends_the_one_before(omar: User, token: str) -> None:
    address = f"/desk/staff/{nia().memberships.get().pk}/invitation"
    second = shown_token(signed_in(omar).post(address))
    assert join(browser(), token).status_code == 410
    assert join(browser(), second).status_code == 302


def test_who_has_joined_gets_no_new_link(omar: User, token: str) -> None:
    join(browser(), token)
    address = f"/desk/staff/{nia().memberships.get().pk}/invitation"
    assert signed_in(omar).post(address).status_code == 409


def test_link_of_a_closed_account_is_dead_for_good(omar: User, token: str) -> None:
    owner, member = signed_in(omar), nia().memberships.get()
    owner.post(f"/desk/staff/{member.pk}/deactivate")
    assert join(browser(), token).status_code == 410
    assert owner.post(f"/desk/staff/{member.pk}/invitation").status_code == 409
    owner.post(f"/desk/staff/{member.pk}/activate")
    assert join(browser(), token).status_code == 410


@pytest.mark.parametrize("made_up", ["x", "0" * 22, "é" * 22, "1" * 64])
def test_made_up_link_opens_nothing(token: str, made_up: str) -> None:
    answer = join(browser(), made_up)
    assert answer.status_code == 410
    assert "Ask the practice owner for a new one." in answer.content.decode()
    assert not nia().has_usable_password()


def test_page_without_a_link_tells_nobody_anything(token: str) -> None:
    page = browser().get("/invitation/").content.decode()
    assert "Nia" not in page
    assert "Smile Dental" not in page


@pytest.mark.parametrize(
    ("password", "repeat", "sentence"),
    [
        ("short", "short", "at least 15 characters"),
        (PASSWORD, "something else entirely", "The two passwords differ"),
        ("nia@smile.example", "nia@smile.example", "too similar to the email"),
        ("", "", "Choose a password."),
    ],
)
def test_weak_password_is_told_in_words_and_the_link_lives_on(
    token: str, password: str, repeat: str, sentence: str
) -> None:
    refused = join(browser(), token, password, repeat)
    assert refused.status_code == 422
    assert sentence in refused.content.decode()
    assert join(browser(), token).status_code == 302


def test_missing_key_is_told(token: str) -> None:
    assert "Open the link you were given" in join(browser(), "").content.decode()


def test_broken_off_act_leaves_no_user(omar: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_order(*args: object, **kwargs: object) -> str:
        raise Gone

    monkeypatch.setattr("portal.practice.staff.make_invitation", out_of_order)
    with pytest.raises(Gone):
        hire(name="Nia New", email="nia@smile.example", role=Role.CLINICIAN, actor=actor_of(omar))
    assert not User.objects.filter(email="nia@smile.example").exists()
    assert not AuditEntry.objects.filter(code="staff.added", actor_id=omar.pk).exists()
