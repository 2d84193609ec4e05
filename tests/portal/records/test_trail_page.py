"""The trail as a page, for those who answer for the practice."""

from __future__ import annotations

import pytest

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.audit.reading import latest
from portal.practice.models import Practice
from portal.records.models import Patient
from portal.sealed.keys import forget_keys
from portal.sealed.models import PracticeKey
from tests.cast import signed_in

pytestmark = pytest.mark.django_db


def test_page_says_who_did_what_in_words(dana: User, olga: User, pat: Patient) -> None:
    signed_in(dana).get(f"/desk/patients/{pat.pk}/")
    page = signed_in(olga).get("/desk/trail/").content.decode()
    assert "Patient&#x27;s page opened" in page
    assert "Dana Desk" in page


def test_reading_the_trail_stands_in_the_trail(olga: User, smile: Practice) -> None:
    signed_in(olga).get("/desk/trail/")
    assert AuditEntry.objects.filter(practice_id=smile.pk).order_by("-n")[0].code == "audit.read"


def test_refused_look_at_the_trail_stands_there_too(dana: User, olga: User) -> None:
    assert signed_in(dana).get("/desk/trail/").status_code == 403
    page = signed_in(olga).get("/desk/trail/").content.decode()
    assert "Access refused" in page


def test_other_practice_reads_its_own_trail_only(
    dana: User, pat: Patient, bright: Practice, mallory: User
) -> None:
    signed_in(dana).get(f"/desk/patients/{pat.pk}/")
    assert all(entry.who != "Dana Desk" for entry in latest(bright.pk, 50))


def test_entries_whose_names_cannot_be_opened_are_still_read(
    dana: User, smile: Practice, pat: Patient
) -> None:
    signed_in(dana).get(f"/desk/patients/{pat.pk}/")
    PracticeKey.objects.filter(practice_id=smile.pk).delete()
    forget_keys()
    entry = latest(smile.pk, 1)[0]
    assert (entry.words, entry.who, entry.private) == ("Patient's page opened", "", {})
