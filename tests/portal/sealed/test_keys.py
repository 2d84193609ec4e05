"""Keys: made once however many ask, forgotten after their time, missing means closed."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from django.db import connection

from portal.errors import Sealed
from portal.sealed import keys
from portal.sealed.keys import INSTALLATION, forget_keys, installation_key, practice_key
from portal.sealed.models import PracticeKey


def test_ten_first_starts_at_once_make_one_installation_key(transactional_db):
    start, found, errors = Barrier(10), [], []

    def ask() -> None:
        start.wait()
        try:
            found.append(keys._practice_key_row(INSTALLATION, None).pk)
        except Exception as error:
            errors.append(error)
        connection.close()

    threads = [Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(set(found)) == 1
    assert PracticeKey.objects.count() == 1


def test_a_lost_installation_key_is_never_replaced(smile):
    PracticeKey.objects.filter(practice_id=INSTALLATION).delete()
    forget_keys()
    with pytest.raises(Sealed):
        installation_key("tok")


def test_an_unknown_practice_or_version_is_sealed(smile, bright):
    with pytest.raises(Sealed):
        practice_key(smile.pk, 7)
    PracticeKey.objects.filter(practice_id=bright.pk).update(is_active=False)
    forget_keys()
    with pytest.raises(Sealed):
        practice_key(bright.pk)


def test_a_key_is_forgotten_after_its_time(smile, settings, monkeypatch):
    practice_key(smile.pk)
    PracticeKey.objects.filter(practice_id=smile.pk).delete()
    assert practice_key(smile.pk), "still remembered"
    later = keys.time.monotonic() + settings.KEY_CACHE_S + 1
    monkeypatch.setattr(keys.time, "monotonic", lambda: later)
    with pytest.raises(Sealed):
        practice_key(smile.pk)
    practice_key(INSTALLATION)
    assert ("practice", smile.pk, None) not in keys._open._kept, "its bytes are gone too"


def test_keys_are_told_apart_by_use(smile):
    made = {installation_key("tok"), installation_key("otp"), installation_key("session", "staff")}
    assert len(made) == 3
    assert all(len(key) == 32 for key in made)


def test_an_open_key_does_not_show_itself(smile, pat):
    dek = keys.create_study_key(smile.pk, patient=pat.pk, study=pat.pk)
    assert dek.key.hex() not in repr(dek)
    assert repr(dek.key) not in repr(dek)
