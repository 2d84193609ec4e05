"""The one-time link of a new installation, and the practice and owner it makes."""

from __future__ import annotations

import pytest
from django.test import Client

from portal.accounts.models import OwnerLink, Role, User
from portal.accounts.setup_link import make_owner_link, use_owner_link
from portal.errors import Gone
from portal.practice.models import Practice
from tests.conftest import MovableClock
from tests.portal.accounts.steps import browser, code_of, give_password

pytestmark = pytest.mark.django_db
PASSWORD = "seven quiet otters sail"


def token_of(link: str | None) -> str:
    assert link is not None
    return link.split("#")[1]


def answers(token: str, **other: str) -> dict[str, str]:
    return {
        "token": token,
        "practice_name": "Smile Dental",
        "practice_phone": "206-555-0199",
        "time_zone": "America/Los_Angeles",
        "name": "Omar Owner",
        "email": "omar@smile.example",
        "password": PASSWORD,
        "repeat": PASSWORD,
        **other,
    }


def send(client: Client, token: str, **other: str):  # type: ignore[no-untyped-def]
    return client.post("/setup/", answers(token, **other))


def test_link_makes_practice_and_owner_who_then_enrols() -> None:
    client = browser()
    assert client.get("/setup/").status_code == 200
    assert send(client, token_of(make_owner_link()))["Location"] == "/"
    owner = User.objects.get(email="omar@smile.example")
    assert owner.memberships.get().role == Role.OWNER
    assert Practice.objects.get().time_zone == "America/Los_Angeles"
    assert give_password(client, owner, PASSWORD)["Location"] == "/sign-in/app"
    assert client.post("/sign-in/app", {"code": code_of(owner)}).status_code == 200


def test_link_is_in_the_fragment_and_only_its_hash_is_kept() -> None:
    link = make_owner_link()
    assert link is not None
    assert "/setup/#" in link
    assert token_of(link).encode() not in bytes(OwnerLink.objects.get().token_hmac)
    assert len(token_of(link)) == 22  # 128 bits


def test_link_works_once() -> None:
    token = token_of(make_owner_link())
    send(browser(), token)
    assert send(browser(), token, email="mallory@evil.example").status_code == 404
    assert Practice.objects.count() == 1
    with pytest.raises(Gone):
        use_owner_link(token)


def test_link_lasts_a_day(clock: MovableClock) -> None:
    token = token_of(make_owner_link())
    clock.advance(hours=25)
    assert send(browser(), token).status_code == 410
    assert not Practice.objects.exists()


def test_new_link_kills_the_one_before() -> None:
    first, second = token_of(make_owner_link()), token_of(make_owner_link())
    assert send(browser(), first).status_code == 410
    assert send(browser(), second).status_code == 302


def test_installation_with_an_owner_has_neither_link_nor_page(omar: User) -> None:
    assert make_owner_link() is None
    assert browser().get("/setup/").status_code == 404


@pytest.mark.parametrize("token", ["", "x", "0" * 22, "1" * 64])
def test_made_up_link_makes_nothing(token: str) -> None:
    make_owner_link()
    assert send(browser(), token).status_code in (410, 422)
    assert not User.objects.exists()
    assert not Practice.objects.exists()


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"password": "short", "repeat": "short"}, "at least 15 characters"),
        ({"repeat": "something else entirely"}, "The two passwords differ"),
        ({"practice_phone": "call us"}, "This is not a phone number"),
        ({"practice_name": ""}, "Enter the name of the practice."),
        ({"email": "omar"}, "This is not an e-mail address."),
    ],
)
def test_form_says_what_to_correct_and_the_link_lives_on(other: dict[str, str], sentence: str) -> None:
    token = token_of(make_owner_link())
    refused = send(browser(), token, **other)
    assert refused.status_code == 422
    assert sentence in refused.content.decode()
    assert send(browser(), token).status_code == 302
