"""Staff sessions: kept under hashed names, ended by idleness, by the day's end and by signing out."""

from __future__ import annotations

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.test import Client

from portal.accounts.sessions import SessionStore, session_name, sweep_expired
from tests.cast import signed_in

HOME = "/account/"


@pytest.fixture
def kept(db) -> SessionStore:
    store = SessionStore()
    store["who"] = "dana"
    store.create()
    store["who"] = "dana"
    store.save()
    return store


def test_the_table_never_holds_the_key_that_opens(kept):
    row = Session.objects.get()
    assert row.session_key == session_name(kept.session_key)
    assert kept.session_key not in row.session_key + row.session_data
    assert SessionStore(row.session_key).load() == {}, "the name opens nothing"
    assert SessionStore(kept.session_key).load() == {"who": "dana"}


def test_cycling_the_key_keeps_the_content_and_kills_the_old_key(kept):
    old = kept.session_key
    kept.cycle_key()
    assert kept.session_key != old
    assert SessionStore(old).load() == {}
    assert SessionStore(kept.session_key).load() == {"who": "dana"}
    assert Session.objects.count() == 1


def test_flushing_leaves_no_row(kept):
    kept.flush()
    assert Session.objects.count() == 0
    assert kept.session_key is None


def test_a_session_that_was_ended_elsewhere_is_not_brought_back(kept):
    other = SessionStore(kept.session_key)
    other["late"] = True
    kept.delete()
    with pytest.raises(UpdateError):
        other.save()
    assert Session.objects.count() == 0


def test_a_new_session_never_takes_over_a_row(kept, monkeypatch):
    keys = iter([kept.session_key, "k" * 32])
    fresh = SessionStore()
    monkeypatch.setattr(fresh, "_get_new_session_key", lambda: next(keys))
    fresh.create()
    assert fresh.session_key == "k" * 32
    assert SessionStore(kept.session_key).load() == {"who": "dana"}


def test_a_key_of_the_visitors_own_making_opens_and_makes_nothing(db):
    store = SessionStore("attackerchosenkey0123456789abcdef")
    assert store.load() == {}
    store["x"] = 1
    store.save()
    assert store.session_key != "attackerchosenkey0123456789abcdef"


def test_an_expired_session_opens_nothing_and_is_swept(kept, clock, settings):
    clock.advance(seconds=settings.SESSION_COOKIE_AGE + 1)
    assert SessionStore(kept.session_key).load() == {}
    sweep_expired()
    assert Session.objects.count() == 0


def test_the_sweep_leaves_living_sessions(kept):
    sweep_expired()
    assert Session.objects.count() == 1


# --- idle and absolute ---------------------------------------------------------------------------------------------


def _is_in(client: Client, **headers: str) -> bool:
    return client.get(HOME, headers=headers).status_code == 200


def test_who_works_stays_signed_in_until_the_day_ends(dana, clock, settings):
    client = signed_in(dana)
    for _ in range(settings.STAFF_ABSOLUTE_S // 600 - 1):
        clock.advance(minutes=10)
        assert _is_in(client)
    clock.advance(minutes=10, seconds=1)
    assert not _is_in(client)


def test_who_is_idle_is_signed_out_and_the_session_is_gone(dana, clock, settings):
    client = signed_in(dana)
    clock.advance(seconds=settings.STAFF_IDLE_S + 1)
    assert not _is_in(client)
    assert not Session.objects.filter(session_key=session_name(client.cookies["staff"].value or "-")).exists()


def test_polling_in_the_background_keeps_nobody_signed_in(dana, clock, settings):
    client = signed_in(dana)
    for _ in range(settings.STAFF_IDLE_S // 60):
        clock.advance(minutes=1)
        client.get(HOME, headers={"x-background": "1"})
    clock.advance(seconds=1)
    assert not _is_in(client)


def test_saying_background_does_not_open_an_ended_session(dana, clock, settings):
    client = signed_in(dana)
    clock.advance(seconds=settings.STAFF_IDLE_S + 1)
    assert not _is_in(client, **{"x-background": "1"})
    assert not _is_in(client)


@pytest.mark.parametrize("missing", ["started", "seen", "otp_device_id"])
def test_a_session_without_its_times_or_second_factor_is_closed(dana, missing):
    client = signed_in(dana)
    session = client.session
    del session[missing]
    session.save()
    assert not _is_in(client)


def test_who_left_the_practice_is_out_at_once(dana, smile):
    client = signed_in(dana)
    dana.memberships.update(is_active=False)
    assert client.get(HOME).status_code == 403


def test_a_deactivated_account_is_out_at_once(dana):
    client = signed_in(dana)
    dana.is_active = False
    dana.save()
    assert not _is_in(client)


def test_a_new_password_ends_every_session(dana):
    client = signed_in(dana)
    dana.set_password("another long pass phrase")
    dana.save()
    assert not _is_in(client)


def test_mallory_can_not_choose_another_practice(mallory, smile):
    client = signed_in(mallory)
    session = client.session
    session["practice"] = str(smile.pk)
    session.save()
    response = client.get(HOME)
    assert b"Smile Dental" not in response.content
