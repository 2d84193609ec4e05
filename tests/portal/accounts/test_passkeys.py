"""Passkeys: added under a fresh code, used instead of one, refused when anything about them is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django_otp_webauthn.models import WebAuthnAttestation, WebAuthnCredential

from portal.accounts.models import User
from portal.accounts.throttle import ACCOUNT_FAILURES_MAX
from portal.audit.models import AuditEntry
from portal.audit.reading import latest
from portal.practice.models import Practice
from tests.cast import signed_in
from tests.conftest import MovableClock
from tests.portal.accounts.authenticator import Authenticator
from tests.portal.accounts.steps import browser, give_password, is_in

pytestmark = pytest.mark.django_db


def post(client: Client, address: str, body: Any = None) -> HttpResponse:
    return client.post(address, body or {}, content_type="application/json")


def add(client: Client, device: Authenticator, name: str = "Desk computer") -> HttpResponse:
    options = post(client, "/account/passkeys/options").json()
    return post(client, "/account/passkeys/new", {**device.make(options), "name": name})


def use(client: Client, device: Authenticator, at: str = "/sign-in/passkey") -> HttpResponse:
    return post(client, at, device.sign(post(client, f"{at}/options").json()))


@pytest.fixture
def device(dana: User, settings: Any) -> Authenticator:
    """Dana's device, with a passkey for her."""
    settings.PUBLIC_BASE_URL = Authenticator.origin
    found = Authenticator()
    assert add(signed_in(dana), found).json() == {"next": "/account/"}
    return found


def test_passkey_takes_the_place_of_the_code(dana: User, device: Authenticator, smile: Practice) -> None:
    client = browser()
    give_password(client, dana, next="/account/")
    assert "Use your passkey" in client.get("/sign-in/code").content.decode()
    assert use(client, device).json() == {"next": "/account/"}
    assert is_in(client)
    page = client.get("/account/").content.decode()
    assert "Desk computer" in page
    entry = AuditEntry.objects.get(practice_id=smile.pk, code="staff.signed-in")
    assert b'"method":"passkey"' in bytes(entry.event)


def test_what_is_done_after_it_is_written_down_with_the_method(dana: User, device: Authenticator) -> None:
    client = browser()
    give_password(client, dana)
    use(client, device)
    client.post("/sign-out")
    assert b'"method":"passkey"' in bytes(AuditEntry.objects.get(code="staff.signed-out").event)


def test_without_the_password_there_is_no_challenge(device: Authenticator) -> None:
    assert post(browser(), "/sign-in/passkey/options").status_code == 401
    assert post(browser(), "/sign-in/passkey", {}).status_code == 401


def test_who_has_none_is_not_offered_one(clara: User) -> None:
    client = browser()
    give_password(client, clara)
    assert "passkey" not in client.get("/sign-in/code").content.decode().replace("passkey.js", "")
    assert post(client, "/sign-in/passkey/options").status_code == 404


WRONG: dict[str, Callable[[Authenticator], Authenticator]] = {
    "a forged site": lambda device: replace(device, origin="https://smi1e.example"),
    "signed for another site": lambda device: replace(device, site="smi1e.example"),
    "nobody was checked": lambda device: replace(device, verifies=False),
    "another key": lambda device: replace(device, key=Authenticator().key),
    "an unknown passkey": lambda _: Authenticator(),
    "a clone that counts from the start": lambda device: replace(device, count=-1),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_passkey_opens_nothing(dana: User, device: Authenticator, wrong: str) -> None:
    client = browser()
    give_password(client, dana)
    use(client, device)
    client.post("/sign-out")
    give_password(client, dana)
    refused = use(client, WRONG[wrong](device))
    assert refused.status_code == 422, wrong
    assert "was not accepted" in refused.json()["detail"]
    assert not is_in(client)
    assert AuditEntry.objects.filter(code="staff.sign-in-refused").exists()


@pytest.mark.parametrize(
    "body", [{"id": 7}, {"id": "%%", "rawId": "%%", "type": "x", "response": {}}, {"a": []}]
)
def test_made_up_answer_is_refused_in_words(dana: User, device: Authenticator, body: Any) -> None:
    client = browser()
    give_password(client, dana)
    post(client, "/sign-in/passkey/options")
    assert post(client, "/sign-in/passkey", body).status_code == 422
    assert client.post("/sign-in/passkey", "no json", content_type="application/json").status_code == 400


def test_answer_works_once_and_for_five_minutes(
    dana: User, device: Authenticator, clock: MovableClock
) -> None:
    client = browser()
    give_password(client, dana)
    answer = device.sign(post(client, "/sign-in/passkey/options").json())
    clock.advance(minutes=6)
    assert post(client, "/sign-in/passkey", answer).status_code == 422
    answer = device.sign(post(client, "/sign-in/passkey/options").json())
    assert post(client, "/sign-in/passkey", answer).status_code == 200
    client.post("/sign-out")
    give_password(client, dana)
    assert post(client, "/sign-in/passkey", answer).status_code == 422


def test_challenge_is_used_up_by_a_wrong_answer_too(dana: User, device: Authenticator) -> None:
    client = browser()
    give_password(client, dana)
    options = post(client, "/sign-in/passkey/options").json()
    assert post(client, "/sign-in/passkey", Authenticator().sign(options)).status_code == 422
    assert post(client, "/sign-in/passkey", device.sign(options)).status_code == 422
    assert not is_in(client)


def test_answer_heard_once_proves_nothing_the_second_time(omar: User, settings: Any) -> None:
    settings.PUBLIC_BASE_URL = Authenticator.origin
    client, in_a_cloud = signed_in(omar), Authenticator(counts=False)
    add(client, in_a_cloud)
    answer = in_a_cloud.sign(post(client, "/account/confirm/passkey/options").json())
    tries = [post(client, "/account/confirm/passkey", answer).status_code for _ in range(2)]
    assert tries == [200, 422]


def test_colleagues_passkey_is_not_mine(dana: User, clara: User, device: Authenticator) -> None:
    add(signed_in(clara), Authenticator(), "Clara's")
    client = browser()
    give_password(client, clara)
    assert use(client, device).status_code == 422


def test_guesses_are_counted_with_those_at_codes(dana: User, device: Authenticator) -> None:
    for _ in range(ACCOUNT_FAILURES_MAX):
        client = browser()
        give_password(client, dana)
        use(client, Authenticator())
    client = browser()
    give_password(client, dana)
    assert use(client, device).status_code == 429


# --- step-up, adding, removing -------------------------------------------------------------------------------------


def test_it_is_a_fresh_proof_too(omar: User, settings: Any, clock: MovableClock) -> None:
    settings.PUBLIC_BASE_URL = Authenticator.origin
    client, device = signed_in(omar), Authenticator()
    add(client, device)
    clock.advance(minutes=11)
    assert client.get("/desk/staff/")["Location"].startswith("/account/confirm")
    assert "Use your passkey" in client.get("/account/confirm").content.decode()
    options = post(client, "/account/confirm/passkey/options").json()
    refused = post(client, "/account/confirm/passkey", Authenticator().sign(options))
    assert refused.status_code == 422
    options = post(client, "/account/confirm/passkey/options").json()
    answer = post(client, "/account/confirm/passkey", {**device.sign(options), "next": "/desk/staff/"})
    assert answer.json() == {"next": "/desk/staff/"}
    assert client.get("/desk/staff/").status_code == 200
    codes = set(AuditEntry.objects.values_list("code", flat=True))
    assert {"staff.step-up-refused", "staff.stepped-up"} <= codes


def test_a_screen_left_open_does_not_get_one(dana: User, clock: MovableClock) -> None:
    client = signed_in(dana)
    clock.advance(minutes=11)
    for address in ("/account/passkeys/options", "/account/passkeys/new"):
        refused = post(client, address)
        assert (refused.status_code, refused.json()["next"]) == (403, "/account/confirm")


def test_needs_a_name_and_the_answer_to_our_challenge(dana: User, device: Authenticator) -> None:
    client = signed_in(dana)
    options = post(client, "/account/passkeys/options").json()
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert [one["type"] for one in options["excludeCredentials"]] == ["public-key"]
    another = Authenticator()
    assert post(client, "/account/passkeys/new", {**another.make(options), "name": " "}).status_code == 400
    stale = {**options, "challenge": "AAAA"}
    assert post(client, "/account/passkeys/new", {**another.make(stale), "name": "x"}).status_code == 422
    unchecked = replace(another, verifies=False)
    assert add(client, unchecked).status_code == 422
    assert WebAuthnCredential.objects.count() == 1


def test_at_most_ten(dana: User, settings: Any) -> None:
    settings.PUBLIC_BASE_URL = Authenticator.origin
    client = signed_in(dana)
    answers = [add(client, Authenticator()).status_code for _ in range(10)]
    assert answers == [200] * 10
    assert post(client, "/account/passkeys/options").status_code == 409


def test_removed_one_opens_nothing_and_who_came_in_by_it_is_out(
    dana: User, mallory: User, device: Authenticator, smile: Practice
) -> None:
    client = browser()
    give_password(client, dana)
    use(client, device)
    address = f"/account/passkeys/{WebAuthnCredential.objects.get().pk}/remove"
    assert signed_in(mallory).post(address).status_code == 404
    at_work = signed_in(dana)
    assert at_work.post(address).status_code == 302
    assert not is_in(client)
    entry = latest(smile.pk, 1)[0]
    assert (entry.words, entry.private["name"]) == ("Passkey removed", "Desk computer")


def test_lost_phone_takes_the_passkeys_along(omar: User, dana: User, device: Authenticator) -> None:
    signed_in(omar).post(f"/desk/staff/{dana.memberships.get().pk}/second-factor")
    assert not WebAuthnCredential.objects.exists()


def test_nothing_of_the_device_is_kept_but_its_key(device: Authenticator) -> None:
    assert not WebAuthnAttestation.objects.exists()
