"""The second factor: each code opens once, however many try it at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from portal.accounts import second_factor
from portal.accounts.models import RecoveryCode, TotpDevice, User
from portal.accounts.second_factor import RECOVERY_CODES, check_code, make_recovery_codes, recovery_codes_left
from portal.audit.models import AuditEntry
from portal.practice.models import Practice
from tests.cast import signed_in
from tests.portal.accounts.steps import browser, code_of, give_code, give_password, is_in


@pytest.fixture
def newcomer(dana: User) -> User:
    """Dana before her first sign-in."""
    TotpDevice.objects.filter(user=dana).delete()
    return dana


def at_once(count: int, try_it: object) -> list[bool]:
    """Run `try_it` in `count` threads that start together."""
    barrier = Barrier(count)

    def run(_: int) -> bool:
        try:
            barrier.wait()
            return bool(try_it())  # type: ignore[operator]
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


# --- codes of the app ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("steps_ahead", [-1, 0, 1])
def test_phone_clock_may_be_half_a_minute_off(dana: User, steps_ahead: int) -> None:
    assert check_code(dana, code_of(dana, steps_ahead=steps_ahead))


@pytest.mark.django_db
@pytest.mark.parametrize("steps_ahead", [-2, 2])
def test_phone_clock_may_not_be_a_minute_off(dana: User, steps_ahead: int) -> None:
    assert check_code(dana, code_of(dana, steps_ahead=steps_ahead)) is None


@pytest.mark.django_db
def test_code_may_be_typed_in_two_groups(dana: User) -> None:
    code = code_of(dana)
    assert check_code(dana, f" {code[:3]} {code[3:]} ")


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["", "12345", "1234567", "٠٠٠٠٠٠", "１２３４５６", "12345a", "0" * 10_000])
def test_what_is_no_code_is_refused(dana: User, code: str) -> None:
    assert check_code(dana, code) is None


@pytest.mark.django_db
def test_code_opens_once_and_so_does_no_older_one(dana: User) -> None:
    older, code = code_of(dana, steps_ahead=-1), code_of(dana)
    assert check_code(dana, code)
    assert check_code(dana, code) is None
    assert check_code(dana, older) is None


@pytest.mark.django_db
def test_somebody_elses_code_opens_nothing(dana: User, mallory: User) -> None:
    TotpDevice.objects.filter(user=mallory).delete()
    TotpDevice.objects.create(user=mallory, name="authenticator", confirmed=True, secret="11" * 20)
    assert check_code(dana, code_of(mallory)) is None


@pytest.mark.django_db(transaction=True)
def test_one_code_sent_forty_times_at_once_opens_once(dana: User) -> None:
    code = code_of(dana)
    assert sum(at_once(40, lambda: check_code(dana, code))) == 1


@pytest.mark.django_db
def test_secret_is_sealed_in_the_database(dana: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM accounts_totpdevice")
        stored = bytes(cursor.fetchone()[0])
    device = TotpDevice.objects.get(user=dana)
    assert bytes.fromhex(device.secret) not in stored
    assert device.secret.encode() not in stored


# --- enrolment -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_first_sign_in_sets_up_the_app_and_hands_out_ten_codes(newcomer: User, smile: Practice) -> None:
    client = browser()
    assert give_password(client, newcomer)["Location"] == "/sign-in/app"
    page = client.get("/sign-in/app").content.decode()
    device = TotpDevice.objects.get(user=newcomer)
    assert second_factor.groups_of_four(second_factor.secret_base32(device)) in page
    assert "<svg" in page
    done = client.post("/sign-in/app", {"code": code_of(newcomer)})
    assert done.status_code == 200
    assert done.content.decode().count("<li>") == RECOVERY_CODES
    assert is_in(client)
    entries = AuditEntry.objects.filter(practice_id=smile.pk, code="staff.second-factor-enrolled")
    assert entries.count() == 1


@pytest.mark.django_db
def test_wrong_first_code_leaves_everything_open(newcomer: User) -> None:
    client = browser()
    give_password(client, newcomer)
    assert client.post("/sign-in/app", {"code": "000000"}).status_code == 422
    assert not is_in(client)
    assert not second_factor.is_enrolled(newcomer)


@pytest.mark.django_db
def test_reloading_shows_the_same_secret_and_a_new_password_a_new_one(newcomer: User) -> None:
    client = browser()
    give_password(client, newcomer)
    first = TotpDevice.objects.get(user=newcomer).secret
    client.get("/sign-in/app")
    assert TotpDevice.objects.get(user=newcomer).secret == first
    give_password(browser(), newcomer)
    assert TotpDevice.objects.get(user=newcomer).secret != first


@pytest.mark.django_db
def test_password_of_an_enrolled_user_shows_no_secret(dana: User) -> None:
    client = browser()
    give_password(client, dana)
    assert client.get("/sign-in/app")["Location"] == "/sign-in/code"
    assert client.post("/sign-in/app", {"code": code_of(dana)})["Location"] == "/sign-in/code"
    assert TotpDevice.objects.filter(user=dana).count() == 1


@pytest.mark.django_db(transaction=True)
def test_enrolling_twice_at_once_makes_one_authenticator(newcomer: User) -> None:
    second_factor.begin_enrolment(newcomer)
    code = code_of(newcomer)
    assert sum(at_once(8, lambda: second_factor.confirm_enrolment(newcomer, code))) == 1
    assert TotpDevice.objects.filter(user=newcomer, confirmed=True).count() == 1


# --- recovery codes ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_recovery_code_opens_once_and_is_struck_out(dana: User, smile: Practice) -> None:
    code = make_recovery_codes(dana)[3]
    client = browser()
    give_password(client, dana)
    give_code(client, code.lower())
    assert "You have 9 left" in client.get("/account/").content.decode()
    assert AuditEntry.objects.filter(practice_id=smile.pk, code="staff.recovery-code-used").count() == 1
    again = browser()
    give_password(again, dana)
    assert give_code(again, code).status_code == 422


@pytest.mark.django_db(transaction=True)
def test_one_recovery_code_sent_forty_times_at_once_opens_once(dana: User) -> None:
    code = make_recovery_codes(dana)[0]
    assert sum(at_once(40, lambda: check_code(dana, code))) == 1
    assert recovery_codes_left(dana) == RECOVERY_CODES - 1


@pytest.mark.django_db
def test_recovery_codes_have_eighty_bits_and_are_not_stored(dana: User) -> None:
    codes = make_recovery_codes(dana)
    assert len(set(codes)) == RECOVERY_CODES
    assert all(len(code.replace(" ", "")) == 16 for code in codes)
    stored = b"".join(bytes(row.code_hmac) for row in RecoveryCode.objects.all())
    assert not any(code.encode() in stored or code.replace(" ", "").encode() in stored for code in codes)


@pytest.mark.django_db
def test_new_sheet_makes_the_old_one_worthless_and_needs_a_code_of_the_app(dana: User) -> None:
    old = make_recovery_codes(dana)
    client = signed_in(dana)
    assert client.post("/account/recovery-codes", {"code": "000000"}).status_code == 422
    assert client.post("/account/recovery-codes", {"code": old[0]}).status_code == 422
    page = client.post("/account/recovery-codes", {"code": code_of(dana)}).content.decode()
    assert page.count("<li>") == RECOVERY_CODES
    assert check_code(dana, old[1]) is None
    assert recovery_codes_left(dana) == RECOVERY_CODES


@pytest.mark.django_db
def test_recovery_code_of_someone_else_opens_nothing(dana: User, mallory: User) -> None:
    assert check_code(dana, make_recovery_codes(mallory)[0]) is None
