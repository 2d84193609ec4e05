"""The code: bound, counted, thrown away. Every counter is tried serially and by many threads at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from portal.audit.models import AuditEntry
from portal.clock import now
from sharing import verify
from sharing.models import Challenge, DeskTask, Message, Share, ShareSession
from sharing.unlock import unlock
from tests.cast import actor_of, make_practice, make_staff
from tests.sharing.conftest import Recipient, code_in, make_share, run_jobs, token_in


def _matched(phone: Recipient, token: str) -> Recipient:
    assert phone.open(token).status_code == 200
    assert phone.birthdate().status_code == 200
    return phone


def _other(code: str, by: int = 1) -> str:
    return f"{(int(code) + by) % 1_000_000:06d}"


def _at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """The act in many threads, each with a database connection of its own."""
    answers: list[Any] = [None] * count
    barrier = threading.Barrier(count)
    connections = threading.BoundedSemaphore(80)  # PostgreSQL gives 100 by default

    def run(number: int) -> None:
        barrier.wait()
        with connections:
            try:
                answers[number] = act(number)
            finally:
                connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


# --- giving it back ------------------------------------------------------------------------------------------------


def test_wrong_codes_count_down_and_the_sixth_is_not_looked_at(phone, token, share):
    code = _matched(phone, token).ask_code()
    left = [phone.post("/s/code/verify", {"code": _other(code, n)}).json()["tries_left"] for n in range(1, 6)]
    assert left == [4, 3, 2, 1, 0]
    assert phone.post("/s/code/verify", {"code": code}).status_code == 422
    share.refresh_from_db()
    assert share.code_failures == 5
    assert AuditEntry.objects.filter(code="share.code-refused").count() == 5


def test_a_right_code_gives_its_try_back(phone, token, share):
    code = _matched(phone, token).ask_code()
    phone.post("/s/code/verify", {"code": _other(code)})
    assert phone.post("/s/code/verify", {"code": code}).status_code == 200
    share.refresh_from_db()
    assert share.code_failures == 1
    assert Challenge.objects.get().consumed_at is not None


def test_a_used_an_old_a_replaced_and_a_foreign_code_open_nothing(
    phone, token, share, sent, clock, pat, dana
):
    used = _matched(phone, token).ask_code()
    first = phone.cookie
    assert phone.post("/s/code/verify", {"code": used}).status_code == 200
    phone.client.cookies["share"] = first
    assert phone.post("/s/code/verify", {"code": used}).status_code == 401

    again = _matched(Recipient(sent), token)
    clock.advance(seconds=61)
    replaced = again.ask_code()
    clock.advance(seconds=61)
    fresh = again.ask_code()
    assert again.post("/s/code/verify", {"code": replaced}).status_code == 422 or replaced == fresh
    clock.advance(minutes=10, seconds=1)
    late = again.post("/s/code/verify", {"code": fresh})
    assert (late.status_code, late.json()["tries_left"]) == (422, 0)

    make_share(pat, dana, address="+12015550145")
    run_jobs()
    other = _matched(Recipient(sent), token_in(sent[-1]))
    foreign = other.ask_code()
    clock.advance(minutes=15)
    mine = _matched(Recipient(sent), token)
    own = mine.ask_code()
    assert mine.post("/s/code/verify", {"code": foreign}).status_code == 422 or foreign == own


def test_p6_a_code_is_bound_to_the_browser_that_asked(phone, token, sent):
    code = _matched(phone, token).ask_code()
    forwarded = _matched(Recipient(sent), token)
    answer = forwarded.post("/s/code/verify", {"code": code})
    assert answer.status_code == 422
    assert phone.post("/s/code/verify", {"code": code}).status_code == 200


def test_fifteen_failures_in_the_life_of_a_share_lock_it_and_no_resend_resets_them(
    phone, token, share, clock, dana
):
    _matched(phone, token)
    for _ in range(3):
        code = phone.ask_code()
        for n in range(1, 6):
            phone.post("/s/code/verify", {"code": _other(code, n)})
        clock.advance(seconds=61)
    share.refresh_from_db()
    assert share.code_failures == 15
    assert share.locked_at is not None
    assert DeskTask.objects.get().kind == "locked"
    assert phone.post("/s/code").status_code == 410
    unlock(share, actor=actor_of(dana))
    share.refresh_from_db()
    assert (share.code_failures, share.locked_at) == (0, None)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "12345",
        "1234567",
        "12 34",
        "abcdef",
        "1e5",
        "123456.0",
        None,
        [1, 2, 3],
        {"a": 1},
        True,
        12.5,
        "9" * 3000,
    ],
)
def test_what_is_no_code_is_refused_in_words_and_is_no_try(phone, token, code):
    _matched(phone, token).ask_code()
    answer = phone.post("/s/code/verify", {"code": code})
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert Challenge.objects.get().tries == 0


@pytest.mark.parametrize("shape", ["{} {}", "{}-{}", " {}{} ", "{}\u2011{}"])
def test_spaces_and_dashes_do_not_matter_and_any_script_is_read(phone, token, shape):
    code = _matched(phone, token).ask_code()
    wide = "".join(chr(ord(digit) - 48 + 0xFF10) for digit in code[3:])
    assert phone.post("/s/code/verify", {"code": shape.format(code[:3], wide)}).status_code == 200


def test_a_number_with_leading_zeros_lost_is_not_padded(phone, token, monkeypatch):
    monkeypatch.setattr("sharing.mint_code.make_code", lambda: "000123")
    _matched(phone, token).ask_code()
    assert phone.post("/s/code/verify", {"code": 123}).status_code == 400
    assert phone.post("/s/code/verify", {"code": "000123"}).status_code == 200


def test_a_code_before_it_was_sent_is_wrong(phone, token):
    _matched(phone, token).post("/s/code")
    assert phone.post("/s/code/verify", {"code": "000000"}).status_code == 422
    assert Challenge.objects.get().code_hmac is None


# --- asking for it -------------------------------------------------------------------------------------------------


def test_a_minute_between_codes_three_in_a_quarter_hour_six_a_day(phone, token, clock):
    code = _matched(phone, token).ask_code()
    phone.post("/s/code/verify", {"code": _other(code)})  # somebody is there: these codes were asked for
    soon = phone.post("/s/code")
    assert soon.status_code == 429
    assert 0 < soon.json()["retry_after_s"] <= 60
    assert soon["Retry-After"] == str(soon.json()["retry_after_s"])
    for _ in range(2):
        clock.advance(seconds=61)
        phone.ask_code()
    clock.advance(seconds=61)
    fourth = phone.post("/s/code")
    assert fourth.status_code == 429
    assert 600 < fourth.json()["retry_after_s"] <= 900
    for _ in range(3):
        clock.advance(minutes=14)
        phone = _matched(Recipient(phone.sent), token)
        phone.post("/s/code/verify", {"code": _other(phone.ask_code())})
    clock.advance(minutes=30)
    phone = _matched(Recipient(phone.sent), token)
    seventh = phone.post("/s/code")
    assert seventh.status_code == 429
    assert seventh.json()["retry_after_s"] > 80_000
    assert Message.objects.filter(kind="code").count() == 6


def test_a_refused_ask_costs_nothing(phone, token, clock):
    _matched(phone, token).ask_code()
    for _ in range(5):
        assert phone.post("/s/code").status_code == 429
    clock.advance(seconds=61)
    assert phone.post("/s/code").status_code == 202


def test_a_phone_gets_ten_codes_a_day_over_all_practices(sent, pat, dana, settings):
    from portal.accounts.models import Role
    from tests.cast import make_patient

    elsewhere = make_practice("Bright Dental")
    tom = make_patient(elsewhere, "Tom", "Baker")
    their_desk = make_staff(elsewhere, Role.FRONT_DESK)
    answers = []
    for number in range(11):
        patient, desk = (pat, dana) if number % 2 else (tom, their_desk)
        make_share(patient, desk)
        run_jobs()
        answers.append(_matched(Recipient(sent), token_in(sent[-1])).post("/s/code").status_code)
        run_jobs()
    assert answers == [202] * 10 + [429]


def test_one_network_address_asks_for_twenty_codes_an_hour(sent, pat, dana):
    answers = []
    for number in range(21):
        make_share(pat, dana, address=f"+120155501{number:02d}")
        run_jobs()
        browser = _matched(Recipient(sent), token_in(sent[-1]))
        far_away = f"2001:db8:1:2::{number:x}"
        answers.append(browser.post("/s/code", REMOTE_ADDR=far_away).status_code)
    assert answers == [202] * 20 + [429], "a whole /64 is one address"


def test_the_counts_name_no_number(phone, token):
    from sharing.models import SendCount

    _matched(phone, token).ask_code()
    assert SendCount.objects.count() == 4  # link and code, each by where it goes and by practice
    assert all(b"555" not in bytes(count.subject) for count in SendCount.objects.all())


# --- all at once ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_a_hundred_guesses_at_once_five_are_evaluated(sent, pat, dana, monkeypatch):
    make_share(pat, dana)
    run_jobs()
    phone = _matched(Recipient(sent), token_in(sent[-1]))
    code = phone.ask_code()
    session = ShareSession.objects.get(ended_at=None)
    compared: list[str] = []
    is_code = verify.is_code

    def watched(code: str, kept: bytes, **places: Any) -> bool:
        compared.append(code)
        return is_code(code, kept, **places)

    monkeypatch.setattr(verify, "is_code", watched)

    def guess(number: int) -> str:
        try:
            verify.verify_code(session, _other(code, number + 1), address="127.0.0.1")
        except Exception as error:
            return type(error).__name__
        return "opened"

    answers = _at_once(100, guess)
    assert set(answers) == {"CodeRefused"}
    assert len(compared) == 5
    assert Challenge.objects.get().tries == 5
    assert Share.objects.get().code_failures == 5


@pytest.mark.django_db(transaction=True)
def test_of_many_right_codes_at_once_one_opens_a_session(sent, pat, dana):
    make_share(pat, dana)
    run_jobs()
    phone = _matched(Recipient(sent), token_in(sent[-1]))
    code = phone.ask_code()
    session = ShareSession.objects.get(ended_at=None)

    def give(number: int) -> str:
        try:
            verify.verify_code(session, code, address="127.0.0.1")
        except Exception as error:
            return type(error).__name__
        return "opened"

    answers = _at_once(5, give)
    assert answers.count("opened") == 1
    assert ShareSession.objects.filter(step="verified").count() == 1
    assert AuditEntry.objects.filter(code="share.verified").count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_asks_at_once_send_one_text(sent, pat, dana):
    make_share(pat, dana)
    run_jobs()
    _matched(Recipient(sent), token_in(sent[-1]))
    session = ShareSession.objects.select_related("share__disclosure").get(ended_at=None)

    def ask(number: int) -> str:
        try:
            verify.request_code(session, address="127.0.0.1")
        except Exception as error:
            return type(error).__name__
        return "asked"

    answers = _at_once(30, ask)
    assert answers.count("asked") == 1
    assert answers.count("LimitReached") == 29
    run_jobs()
    assert [message.kind for message in sent] == ["link", "code"]
    assert code_in(sent[-1])
    assert Challenge.objects.get().created_at > now() - timedelta(minutes=1)
