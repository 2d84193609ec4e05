"""A stranger who guesses locks the account for strangers, and never its owner out."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from portal.accounts.known_browsers import sweep_unused
from portal.accounts.models import KnownBrowser, Role, User
from portal.accounts.throttle import ACCOUNT_FAILURES_MAX, ADDRESS_FAILURES_MAX
from portal.audit.models import AuditEntry
from portal.practice.models import Practice
from tests.cast import make_staff, signed_in
from tests.conftest import MovableClock
from tests.portal.accounts.steps import browser, code_of, give_code, give_password, is_in

pytestmark = pytest.mark.django_db
WRONG = "wrong horse battery staple"


@pytest.fixture
def at_work(dana: User, clock: MovableClock) -> Client:
    """The browser at Dana's desk, where she signed in this morning and is signed out now."""
    client = browser()
    come_in(client, dana, clock)
    client.post("/sign-out")
    return client


def come_in(client: Client, user: User, clock: MovableClock) -> None:
    assert give_password(client, user).status_code == 302
    assert give_code(client, code_of(user)).status_code == 302
    clock.advance(seconds=60)  # the next code of the app


def guess(client: Client, user: User, times: int = ACCOUNT_FAILURES_MAX) -> list[int]:
    return [give_password(client, user, WRONG).status_code for _ in range(times)]


def test_stranger_who_guesses_does_not_lock_the_owner_out(
    dana: User, at_work: Client, clock: MovableClock
) -> None:
    assert guess(browser(), dana, ACCOUNT_FAILURES_MAX + 1)[-1] == 429
    assert give_password(browser(), dana).status_code == 429, "locked for whoever was never in"
    come_in(at_work, dana, clock)
    assert is_in(at_work)
    assert give_password(browser(), dana).status_code == 429, "and still locked for strangers"


def test_known_browser_has_a_limit_of_its_own(dana: User, at_work: Client) -> None:
    assert guess(at_work, dana, ACCOUNT_FAILURES_MAX + 1)[-1] == 429
    assert give_password(browser(), dana).status_code == 302, "its slips are not the account's"


def test_a_guessed_address_does_not_lock_the_desk_behind_it(
    dana: User, at_work: Client, clock: MovableClock, smile: Practice
) -> None:
    for number in range(ADDRESS_FAILURES_MAX):
        browser().post("/", {"email": f"nobody{number}@smile.example", "password": WRONG})
    assert give_password(browser(), dana).status_code == 429
    come_in(at_work, dana, clock)


def test_codes_are_guarded_alike(dana: User, at_work: Client, clock: MovableClock) -> None:
    thief = browser()
    for _ in range(ACCOUNT_FAILURES_MAX + 1):
        give_password(thief, dana)
        give_code(thief, "000000")
    give_password(thief, dana)
    assert give_code(thief, "000000").status_code == 429
    come_in(at_work, dana, clock)


def test_browser_is_known_to_those_who_signed_in_there_alone(
    dana: User, clara: User, at_work: Client, clock: MovableClock
) -> None:
    guess(browser(), clara)
    assert give_password(at_work, clara).status_code == 429, "Clara was never in here"
    clock.advance(minutes=16)
    come_in(at_work, clara, clock)
    assert set(KnownBrowser.objects.values_list("user", flat=True)) == {dana.pk, clara.pk}
    assert len({bytes(row.name_hmac) for row in KnownBrowser.objects.all()}) == 1, "one name, two people"


def test_made_up_name_is_nobodys(dana: User) -> None:
    guess(browser(), dana)
    forger = browser()
    forger.cookies["browser"] = "AAAAAAAAAAAAAAAAAAAAAA"
    assert give_password(forger, dana).status_code == 429


def test_cookie_is_out_of_reach_of_scripts_and_the_table_holds_no_name(at_work: Client) -> None:
    cookie = at_work.cookies["browser"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie.value.encode() not in bytes(KnownBrowser.objects.get().name_hmac)


def test_browser_not_used_for_a_season_is_a_strangers(
    dana: User, at_work: Client, clock: MovableClock
) -> None:
    clock.advance(days=91)
    guess(browser(), dana)
    assert give_password(at_work, dana).status_code == 429
    sweep_unused()
    assert not KnownBrowser.objects.exists()


def test_the_last_try_before_the_wait_stands_in_the_trail_as_such(dana: User, smile: Practice) -> None:
    guess(browser(), dana, ACCOUNT_FAILURES_MAX + 3)
    codes = AuditEntry.objects.filter(practice_id=smile.pk, actor_id=dana.pk).order_by("n")
    tried = [code for code in codes.values_list("code", flat=True) if "sign-in" in code]
    assert tried == ["staff.sign-in-refused"] * (ACCOUNT_FAILURES_MAX - 1) + ["staff.sign-in-locked"]


# --- a forgotten password ------------------------------------------------------------------------------------------


def test_sign_in_page_says_whom_to_ask(db: None) -> None:
    assert "Ask the practice owner" in browser().get("/").content.decode()


def test_owner_gives_a_link_that_opens_nothing_without_the_app(
    dana: User, omar: User, at_work: Client, smile: Practice
) -> None:
    open_elsewhere = signed_in(dana)
    address = f"/desk/staff/{dana.memberships.get().pk}/password"
    page = signed_in(omar).post(address).content.decode()
    token = page.partition("/invitation/#")[2].partition("<")[0]
    assert not is_in(open_elsewhere)
    assert give_password(browser(), dana).status_code == 422, "the old one is gone at once"
    chosen = "seven quiet otters sail"
    newcomer = browser()
    answer = newcomer.post("/invitation/", {"token": token, "password": chosen, "repeat": chosen})
    assert answer["Location"] == "/sign-in/app"
    assert newcomer.get("/sign-in/app")["Location"] == "/sign-in/code", "the app is still asked for"
    assert not is_in(newcomer)
    assert give_code(newcomer, code_of(dana, steps_ahead=1)).status_code == 302
    told = list(AuditEntry.objects.filter(practice_id=smile.pk).order_by("n").values_list("code", flat=True))
    assert told[-4:] == [
        "staff.invited",
        "staff.sign-in-refused",
        "staff.password-changed",
        "staff.signed-in",
    ]
    assert "staff.password-reset" in told


def test_owner_takes_nobodys_password_who_has_none(smile: Practice, omar: User, dana: User) -> None:
    dana.set_unusable_password()
    dana.save()
    address = f"/desk/staff/{dana.memberships.get().pk}/password"
    assert signed_in(omar).post(address).status_code == 409


def test_only_owner_left_gets_a_link_from_the_server(omar: User, dana: User, capsys: object) -> None:
    with pytest.raises(CommandError, match="No owner"):
        call_command("staff_link", dana.email)
    call_command("staff_link", omar.email.upper())
    assert "/invitation/#" in capsys.readouterr().out  # type: ignore[attr-defined]
    omar.refresh_from_db()
    assert not omar.has_usable_password()
    assert AuditEntry.objects.filter(code="staff.password-reset").exists()
    assert make_staff(omar.memberships.get().practice, Role.OWNER).has_usable_password()
