"""Adding a patient, the patient's page, and the pieces of it that keep themselves up to date."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.test import Client

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.audit.reading import read
from portal.practice.models import Practice
from portal.records.guardians import add_guardian
from portal.records.models import Patient, RefusedFile, Upload
from portal.records.uploads import start_upload
from tests.cast import actor_of, make_patient, signed_in
from tests.conftest import MovableClock
from tests.viewer.conftest import made_study

pytestmark = pytest.mark.django_db
MARIA = {
    "family_name": "Garcia",
    "given_name": "Maria",
    "birthdate": "1986-04-12",
    "chart_number": "SP-1",
    "mobile": "(206) 555-0142",
    "email": "maria@example.com",
    "language": "es",
}


def add(client: Client, **other: str):  # type: ignore[no-untyped-def]
    return client.post("/desk/patients/new", {**MARIA, **other})


# --- adding --------------------------------------------------------------------------------------------------------


def test_new_patient_is_added_and_opened(dana: User, smile: Practice) -> None:
    client = signed_in(dana)
    response = add(client)
    patient = Patient.objects.get(practice=smile)
    assert response["Location"] == f"/desk/patients/{patient.pk}/"
    assert (patient.name, patient.birthdate, patient.language) == ("Maria Garcia", date(1986, 4, 12), "es")
    page = client.get(response["Location"]).content.decode()
    assert "+1 206-555-0142" in page
    assert "maria@example.com" in page


def test_p14_particulars_typed_wrong_are_corrected_and_those_before_are_kept(
    dana: User, smile: Practice
) -> None:
    client = signed_in(dana)
    page = add(client, birthdate="1968-04-12", mobile="")["Location"]
    assert f'href="{page}correct"' in client.get(page).content.decode()
    form = client.get(f"{page}correct").content.decode()
    for value in ("Garcia", "Maria", "1968-04-12", "SP-1", "maria@example.com"):
        assert f'value="{value}"' in form
    assert client.post(f"{page}correct", MARIA)["Location"] == page
    patient = Patient.objects.get(practice=smile)
    assert patient.birthdate == date(1986, 4, 12)
    assert [contact.value for contact in patient.contacts.order_by("kind")] == [
        "maria@example.com",
        "+12065550142",
    ]
    before = read(AuditEntry.objects.get(code="patient.changed"))
    assert before.private["before"]["birthdate"] == "1968-04-12"


def test_f1_a_correction_makes_no_second_patient_of_one_name_and_birth_date(
    dana: User, smile: Practice
) -> None:
    client = signed_in(dana)
    add(client)
    other = {**MARIA, "given_name": "Elena", "chart_number": "SP-2", "mobile": "", "email": ""}
    page = client.post("/desk/patients/new", {**other, "birthdate": "1990-01-01"})["Location"]
    refused = client.post(f"{page}correct", other)
    assert refused.status_code == 422
    assert "already here" in refused.content.decode()
    assert Patient.objects.get(pk=page.split("/")[3]).birthdate == date(1990, 1, 1)
    assert client.post(f"{page}correct", {**other, "is_confirmed": "on"}).status_code == 302


def test_a_parent_acts_until_the_right_18th_birthday(dana: User, smile: Practice) -> None:
    client = signed_in(dana)
    child = {**MARIA, "birthdate": "2019-08-30"}
    page = client.post("/desk/patients/new", child)["Location"]
    patient = Patient.objects.get(practice=smile)
    row = add_guardian(
        patient, kind="parent", name="Anh Nguyen", documents="Birth certificate", actor=actor_of(dana)
    )
    client.post(f"{page}correct", {**child, "birthdate": "2016-08-30"})
    row.refresh_from_db()
    assert row.ends_on == date(2034, 8, 30)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"family_name": ""}, "Type the last name."),
        ({"birthdate": "1986-13-40"}, "This is not a date."),
        ({"birthdate": "1786-04-12"}, "This birth date can&#x27;t be right."),
        ({"mobile": "12"}, "phone number"),
        ({"email": "maria"}, "This is not an e-mail address."),
        ({"language": "xx"}, "Select a valid choice"),
    ],
)
def test_form_says_what_to_correct_and_keeps_the_rest(
    dana: User, other: dict[str, str], sentence: str
) -> None:
    response = add(signed_in(dana), **other)
    page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page
    assert 'value="SP-1"' in page
    assert not Patient.objects.exists()


def test_chart_number_of_another_patient_is_refused_beside_its_field(dana: User) -> None:
    client = signed_in(dana)
    add(client)
    page = add(client, family_name="Lopez", chart_number="sp 1").content.decode()
    assert "Another patient has this chart number." in page
    assert 'aria-invalid="true"' in page


def test_look_alike_is_added_only_when_the_desk_says_so(dana: User) -> None:
    client = signed_in(dana)
    assert "is_confirmed" not in client.get("/desk/patients/new").content.decode()
    add(client)
    refused = add(client, given_name="Mario", chart_number="SP-2")
    assert refused.status_code == 422
    assert "This is another person" in refused.content.decode()
    assert add(client, given_name="Mario", chart_number="SP-2", is_confirmed="on").status_code == 302
    assert Patient.objects.count() == 2


def test_same_chart_number_in_another_practice_is_fine(dana: User, mallory: User) -> None:
    add(signed_in(dana))
    assert add(signed_in(mallory)).status_code == 302


# --- the page ------------------------------------------------------------------------------------------------------


def test_opening_the_page_stands_in_the_trail(dana: User, smile: Practice, pat: Patient) -> None:
    signed_in(dana).get(f"/desk/patients/{pat.pk}/")
    assert (
        AuditEntry.objects.filter(practice_id=smile.pk, code="patient.opened", patient_id=pat.pk).count() == 1
    )


def test_age_counts_birthdays(dana: User, smile: Practice, clock: MovableClock) -> None:
    from portal.clock import now

    today = now().date()
    child = make_patient(smile, "Leo", birthdate=today.replace(year=today.year - 9))
    page = signed_in(dana).get(f"/desk/patients/{child.pk}/").content.decode()
    assert "9 years" in page


def test_page_lists_studies_with_pictures_for_those_who_may_see_them(
    dana: User, olga: User, pat: Patient
) -> None:
    study = made_study(pat).study
    address = f"/desk/patients/{pat.pk}/"
    seen = signed_in(dana).get(address).content.decode()
    assert f"/desk/studies/{study.pk}/" in seen
    assert "axial.webp" in seen
    for picture in re.findall(r'<img src="(/desk/studies/[^"]+)"', seen):
        assert signed_in(dana).get(picture).status_code == 200
    unseen = signed_in(olga).get(address).content.decode()
    assert study.title in unseen
    assert "webp" not in unseen


def test_page_names_refused_files_and_why(dana: User, smile: Practice, pat: Patient) -> None:
    upload = start_upload(pat, actor=actor_of(dana))
    Upload.objects.filter(pk=upload.pk).update(state=Upload.State.DONE)
    RefusedFile.objects.create(
        practice=smile, upload=upload, name="AUTORUN.EXE", code="program", sentence="This is a program."
    )
    page = signed_in(dana).get(f"/desk/patients/{pat.pk}/").content.decode()
    assert "AUTORUN.EXE" in page
    assert "This is a program." in page


def test_upload_that_failed_can_be_tried_again(dana: User, pat: Patient) -> None:
    upload = start_upload(pat, actor=actor_of(dana))
    Upload.objects.filter(pk=upload.pk).update(state=Upload.State.FAILED)
    page = signed_in(dana).get(f"/desk/patients/{pat.pk}/").content.decode()
    assert f'hx-post="/desk/uploads/{upload.pk}/finish"' in page


def test_upload_without_a_byte_for_a_minute_can_be_given_up(
    dana: User, pat: Patient, clock: MovableClock
) -> None:
    upload = start_upload(pat, actor=actor_of(dana))
    client, gives_up = signed_in(dana), f'hx-delete="/desk/uploads/{upload.pk}/status"'
    assert gives_up not in client.get(f"/desk/patients/{pat.pk}/").content.decode()
    clock.advance(minutes=2)
    assert gives_up in client.get(f"/desk/patients/{pat.pk}/").content.decode()
    client.delete(f"/desk/uploads/{upload.pk}/status")
    assert "Files are arriving" not in client.get(f"/desk/patients/{pat.pk}/").content.decode()


def test_what_an_upload_said_is_gone_after_a_day(dana: User, pat: Patient, clock: MovableClock) -> None:
    upload = start_upload(pat, actor=actor_of(dana))
    Upload.objects.filter(pk=upload.pk).update(state=Upload.State.DONE)
    clock.advance(hours=25)
    page = signed_in(dana).get(f"/desk/patients/{pat.pk}/").content.decode()
    assert "Nothing new was stored" not in page


# --- pieces --------------------------------------------------------------------------------------------------------


def seen_in(page: str, piece: str) -> str:
    found = re.search(rf'hx-get="([^"]*/{piece}\?seen=[0-9a-f]+)"', page)
    assert found
    return found[1]


def test_piece_answers_nothing_until_something_changed(dana: User, pat: Patient) -> None:
    client = signed_in(dana)
    asks = seen_in(client.get(f"/desk/patients/{pat.pk}/").content.decode(), "record")
    assert client.get(asks).status_code == 204
    start_upload(pat, actor=actor_of(dana))
    changed = client.get(asks)
    assert changed.status_code == 200
    assert client.get(seen_in(changed.content.decode(), "record")).status_code == 204


def test_uploads_of_the_practice_are_listed_on_the_desk(dana: User, mallory: User, pat: Patient) -> None:
    start_upload(pat, actor=actor_of(dana))
    assert "Garcia, Maria" in signed_in(dana).get("/desk/arriving").content.decode()
    assert "Garcia, Maria" not in signed_in(mallory).get("/desk/arriving").content.decode()
