"""Failed sign-ins are counted before they are looked at, so parallel guesses count like single ones."""

from __future__ import annotations

import pytest

from portal.accounts.models import SignInThrottle, User
from portal.accounts.throttle import ACCOUNT_FAILURES_MAX, ADDRESS_FAILURES_MAX, give_back, take_try
from portal.errors import LimitReached
from tests.conftest import MovableClock
from tests.portal.accounts.steps import browser, code_of, give_code, give_password, is_in
from tests.portal.accounts.test_second_factor import at_once

WRONG = "wrong horse battery staple"


@pytest.mark.django_db
def test_eleventh_wrong_password_is_not_looked_at(dana: User) -> None:
    for _ in range(ACCOUNT_FAILURES_MAX):
        assert give_password(browser(), dana, WRONG).status_code == 422
    refused = give_password(browser(), dana)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 15 * 60 + 1
    assert "Please wait 15 minutes" in refused.content.decode()


@pytest.mark.django_db
def test_unknown_account_is_throttled_alike() -> None:
    answers = [
        browser().post("/", {"email": "nobody@smile.example", "password": WRONG}).status_code
        for _ in range(ACCOUNT_FAILURES_MAX + 1)
    ]
    assert answers == [422] * ACCOUNT_FAILURES_MAX + [429]


@pytest.mark.django_db
def test_waiting_helps(dana: User, clock: MovableClock) -> None:
    for _ in range(ACCOUNT_FAILURES_MAX):
        give_password(browser(), dana, WRONG)
    clock.advance(minutes=16)
    assert give_password(browser(), dana).status_code == 302


@pytest.mark.django_db
def test_eleventh_wrong_code_is_not_looked_at_even_with_the_right_password(dana: User) -> None:
    for _ in range(ACCOUNT_FAILURES_MAX):
        client = browser()
        give_password(client, dana)
        assert give_code(client, "000000").status_code == 422
    client = browser()
    give_password(client, dana)
    assert give_code(client, code_of(dana)).status_code == 429
    assert not is_in(client)


@pytest.mark.django_db
def test_right_sign_ins_are_not_counted(dana: User, clock: MovableClock) -> None:
    for _ in range(ACCOUNT_FAILURES_MAX + 2):
        client = browser()
        give_password(client, dana)
        assert give_code(client, code_of(dana)).status_code == 302
        clock.advance(seconds=30)


@pytest.mark.django_db
def test_one_address_is_counted_over_all_accounts() -> None:
    for guess in range(ADDRESS_FAILURES_MAX):
        take_try(f"user{guess}@smile.example", "203.0.113.9")
    with pytest.raises(LimitReached):
        take_try("fresh@smile.example", "203.0.113.9")
    take_try("fresh@smile.example", "203.0.113.10")


@pytest.mark.django_db
def test_an_ipv6_network_counts_as_one_address() -> None:
    for guess in range(ADDRESS_FAILURES_MAX):
        take_try(f"user{guess}@smile.example", f"2001:db8:0:1::{guess:x}")
    with pytest.raises(LimitReached):
        take_try("fresh@smile.example", "2001:db8:0:1:ffff::1")
    take_try("fresh@smile.example", "2001:db8:0:2::1")


@pytest.mark.django_db
def test_giving_back_never_goes_below_none() -> None:
    give_back("dana@smile.example", "203.0.113.9")
    take_try("dana@smile.example", "")
    give_back("dana@smile.example", "")
    give_back("dana@smile.example", "")
    assert set(SignInThrottle.objects.values_list("failures", flat=True)) == {0}


@pytest.mark.django_db
def test_table_names_neither_account_nor_address() -> None:
    take_try("dana@smile.example", "203.0.113.9")
    assert all(len(subject) == 64 for subject in SignInThrottle.objects.values_list("subject", flat=True))


@pytest.mark.django_db(transaction=True)
def test_forty_guesses_at_once_are_ten() -> None:
    def guess() -> bool:
        try:
            take_try("dana@smile.example", "")
        except LimitReached:
            return False
        return True

    assert sum(at_once(40, guess)) == ACCOUNT_FAILURES_MAX
