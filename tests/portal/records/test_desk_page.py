"""The desk's first page: finding a patient by what the telephone gives."""

from __future__ import annotations

from datetime import date

import pytest

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.audit.reading import latest
from portal.practice.models import Practice
from portal.records.models import Patient
from portal.records.patients import add_patient
from tests.cast import actor_of, signed_in

pytestmark = pytest.mark.django_db
TYPING = {"HX-Request": "true"}


def added(practice: Practice, user: User, given: str, family: str, chart: str, mobile: str) -> Patient:
    return add_patient(
        practice_id=practice.pk,
        family_name=family,
        given_name=given,
        birthdate=date(1986, 4, 12),
        chart_number=chart,
        mobile=mobile,
        actor=actor_of(user),
        is_confirmed=True,
    )


@pytest.fixture
def maria(smile: Practice, dana: User) -> Patient:
    return added(smile, dana, "Maria", "Garcia", "SP-1", "+1 206-555-0142")


@pytest.fixture
def mario(smile: Practice, dana: User) -> Patient:
    return added(smile, dana, "Mario", "Garcia", "SP-2", "+1 206-555-0143")


def test_page_shows_name_and_birth_date_of_the_latest_patients(dana: User, maria: Patient) -> None:
    page = signed_in(dana).get("/desk/").content.decode()
    assert "Garcia, Maria" in page
    assert "Apr 12, 1986" in page


def test_no_title_names_a_patient(dana: User, maria: Patient) -> None:
    client = signed_in(dana)
    for address in ("/desk/", f"/desk/patients/{maria.pk}/", f"/desk/patients/{maria.pk}/share"):
        title = client.get(address).content.decode().split("<title>")[1].split("</title>")[0]
        assert "Garcia" not in title
        assert "Maria" not in title


@pytest.mark.parametrize("text", ["ga", "GARCÍA", "garcia maria", "0142", "(206) 555-0142", "sp-1"])
def test_typing_finds_a_patient(dana: User, maria: Patient, text: str) -> None:
    piece = signed_in(dana).post("/desk/find", {"text": text}, headers=TYPING).content.decode()
    assert "Garcia, Maria" in piece
    assert "<html" not in piece


def test_enter_opens_the_only_hit_and_lists_several(dana: User, maria: Patient, mario: Patient) -> None:
    client = signed_in(dana)
    assert client.post("/desk/find", {"text": "0142"})["Location"] == f"/desk/patients/{maria.pk}/"
    several = client.post("/desk/find", {"text": "garcia"})
    assert several.status_code == 200
    assert "2 patients" in several.content.decode()


def test_nobody_found_says_what_to_do(dana: User, maria: Patient) -> None:
    page = signed_in(dana).post("/desk/find", {"text": "zzzz"}).content.decode()
    assert "Nobody found" in page
    assert "last four digits" in page


def test_search_by_address_is_not_offered(dana: User, maria: Patient) -> None:
    assert signed_in(dana).get("/desk/find?text=garcia").status_code == 405


def test_other_practice_finds_nobody(mallory: User, maria: Patient) -> None:
    client = signed_in(mallory)
    assert "Garcia, Maria" not in client.get("/desk/").content.decode()
    assert "Garcia, Maria" not in client.post("/desk/find", {"text": "garcia"}).content.decode()


def test_what_was_searched_stands_sealed_in_the_trail(dana: User, smile: Practice, maria: Patient) -> None:
    signed_in(dana).post("/desk/find", {"text": "garcia"})
    entry = AuditEntry.objects.filter(practice_id=smile.pk, code="patient.searched").get()
    assert b"garcia" not in bytes(entry.event)
    assert latest(smile.pk, 1)[0].private["text"] == "garcia"


def test_typed_text_is_shown_as_text(dana: User) -> None:
    page = signed_in(dana).post("/desk/find", {"text": "<script>alert(1)</script>"}).content.decode()
    assert "<script>alert" not in page


def test_f1_a_list_that_is_cut_off_says_so(
    dana: User, maria: Patient, mario: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("portal.records.search", "portal.records.views.desk"):
        monkeypatch.setattr(f"{place}.HITS_MAX", 2)
    page = signed_in(dana).post("/desk/find", {"text": "gar"}, headers=TYPING).content.decode()
    assert "There may be more." in page
    assert "There may be more." not in signed_in(dana).get("/desk/").content.decode()
