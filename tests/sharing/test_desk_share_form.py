"""The share form: what it fills in, what it previews, what it refuses, what it makes."""

from __future__ import annotations

import html
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from portal.accounts.models import User
from portal.clock import now
from portal.practice.models import Practice
from portal.records.models import Contact, Disclosure, Patient, ReferringDentist
from sharing.messages import link_text
from sharing.models import Message, Share
from tests.cast import make_patient, signed_in
from tests.viewer.conftest import Stored, made_study

pytestmark = pytest.mark.django_db
MOBILE = "+12065550142"


@pytest.fixture
def maria(smile: Practice) -> Patient:
    """Maria with a mobile phone and an e-mail address, who reads Spanish."""
    patient = make_patient(smile)
    Patient.objects.filter(pk=patient.pk).update(language="es")
    patient.refresh_from_db()
    for kind, value in (("mobile", MOBILE), ("email", "maria@example.com")):
        Contact.objects.create(practice=smile, patient=patient, kind=kind, value=value, created_at=now())
    return patient


@pytest.fixture
def study(maria: Patient) -> Stored:
    return made_study(maria)


@pytest.fixture
def client(dana: User) -> Client:
    return signed_in(dana)


def address_of(patient: Patient) -> str:
    return f"/desk/patients/{patient.pk}/share"


def form_of(study: Stored, **other: Any) -> dict[str, Any]:
    return {
        "series": [str(study.volume.id)],
        "recipient_kind": "patient",
        "recipient_name": "Maria Garcia",
        "channel": "text",
        "address": "+1 206-555-0142",
        "language": "en",
        "allows_download": "no",
        "purpose": "patient-request",
        "days": "30",
        "consent": "on",
        **other,
    }


# --- what it fills in ----------------------------------------------------------------------------------------------


def test_form_knows_the_patients_number_language_and_newest_study(
    client: Client, maria: Patient, study: Stored
) -> None:
    page = client.get(address_of(maria)).content.decode()
    assert 'value="+1 206-555-0142"' in page
    assert '<option value="es" selected>' in page
    assert page.count('name="series"') == len(study.series)
    assert all(f'value="{one.id}" checked' in page for one in study.series)


def test_form_opened_from_a_study_ticks_that_study_alone(
    client: Client, maria: Patient, study: Stored
) -> None:
    newer = made_study(maria)
    page = client.get(f"{address_of(maria)}?study={study.study.pk}").content.decode()
    ticked = [str(one.id) for one in study.series if f'value="{one.id}" checked' in page]
    assert len(ticked) == len(study.series)
    assert not any(f'value="{one.id}" checked' in page for one in newer.series)


def test_form_offers_nothing_of_another_patient(
    client: Client, smile: Practice, maria: Patient, study: Stored
) -> None:
    other = made_study(make_patient(smile, "Harold", "Lindgren"))
    page = client.get(f"{address_of(maria)}?study={other.study.pk}").content.decode()
    assert not any(str(one.id) in page for one in other.series)


def test_dentists_of_the_directory_are_offered(client: Client, smile: Practice, maria: Patient) -> None:
    ReferringDentist.objects.create(
        practice=smile, name="Dr. Riley Chen", email="riley@endo.example", created_at=now()
    )
    page = client.get(address_of(maria)).content.decode()
    assert '<option value="Dr. Riley Chen">' in page
    assert "riley@endo.example" in page


def test_patient_without_images_has_nothing_to_share(client: Client, maria: Patient) -> None:
    assert "There are no images to share yet." in client.get(address_of(maria)).content.decode()


# --- what it previews ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "es"])
def test_preview_is_the_text_that_leaves(
    client: Client, smile: Practice, maria: Patient, study: Stored, language: str
) -> None:
    sent = form_of(study, language=language, days="7")
    shown = html.unescape(client.post(f"{address_of(maria)}/text", sent).content.decode())
    exact = link_text(
        smile,
        language=language,
        link=f"http://127.0.0.1:8000/s/#{'•' * 22}",
        expires_at=now() + timedelta(days=7),
        time_zone=smile.time_zone,
    ).replace("?" * 22, "•" * 22)
    assert exact in shown
    assert f"{len(exact)} characters · 1 text" in shown


def test_preview_of_an_e_mail_shows_subject_and_body(client: Client, maria: Patient, study: Stored) -> None:
    shown = client.post(f"{address_of(maria)}/text", form_of(study, channel="email")).content.decode()
    assert "A message from Smile Dental" in shown
    assert "One e-mail" in shown


@pytest.mark.parametrize("other", [{"days": "x"}, {"days": ""}, {"language": "xx"}, {"channel": "pigeon"}])
def test_preview_of_nonsense_is_a_preview(
    client: Client, maria: Patient, study: Stored, other: dict[str, str]
) -> None:
    assert client.post(f"{address_of(maria)}/text", form_of(study, **other)).status_code == 200


# --- what it makes -------------------------------------------------------------------------------------------------


def test_sending_makes_share_disclosure_and_message(
    client: Client, maria: Patient, study: Stored, dana: User
) -> None:
    response = client.post(address_of(maria), form_of(study, days="7"))
    assert response["Location"] == f"/desk/patients/{maria.pk}/"
    share = Share.objects.get()
    assert share.address == MOBILE
    assert not share.allows_download
    assert timedelta(days=6, hours=23) < share.expires_at - now() <= timedelta(days=7)
    assert [one.series_id for one in share.shared_series.all()] == [study.volume.id]
    assert Disclosure.objects.get().disclosed_by == dana
    assert Message.objects.get().state == Message.State.QUEUED
    assert "on its way" in client.get(response["Location"]).content.decode()


def test_dentist_may_be_given_the_download(client: Client, maria: Patient, study: Stored) -> None:
    sent = form_of(
        study,
        recipient_kind="dentist",
        recipient_name="Dr. Riley Chen",
        channel="email",
        address="riley@endo.example",
        purpose="referral",
        allows_download="yes",
    )
    assert client.post(address_of(maria), sent).status_code == 302
    share = Share.objects.get()
    assert share.allows_download
    assert share.disclosure.purpose == Disclosure.Purpose.REFERRAL


# --- what it refuses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"consent": ""}, "Ask for consent first, then tick the box."),
        ({"series": []}, "Choose at least one image."),
        ({"address": ""}, "Enter where the link goes."),
        ({"address": "911"}, "This is not a phone number."),
        ({"address": "+1 900 555 0100"}, "number"),
        ({"channel": "email", "address": "maria"}, "This is not an e-mail address."),
        ({"recipient_name": ""}, "Enter the name of the person who gets the link."),
        ({"days": "0"}, "At least one day."),
        ({"days": "91"}, "at most 90 days"),
        ({"days": ""}, "Enter a number of days."),
        ({"days": "never"}, "Enter a number of days."),
        ({"recipient_kind": "anyone"}, "Select a valid choice"),
        ({"purpose": "curiosity"}, "Select a valid choice"),
    ],
)
def test_form_says_what_to_correct_and_makes_nothing(
    client: Client, maria: Patient, study: Stored, other: dict[str, Any], sentence: str
) -> None:
    response = client.post(address_of(maria), form_of(study, **other))
    page = html.unescape(response.content.decode())
    assert response.status_code == 422
    assert page.count(sentence) >= 2  # in the summary and beside the field
    assert not Share.objects.exists()
    assert not Disclosure.objects.exists()


def test_practice_may_allow_less_than_ninety_days(
    client: Client, smile: Practice, maria: Patient, study: Stored
) -> None:
    Practice.objects.filter(pk=smile.pk).update(share_default_days=7, share_max_days=14)
    page = client.get(address_of(maria)).content.decode()
    assert "At most 14." in page
    assert 'value="7"' in page
    assert client.post(address_of(maria), form_of(study, days="15")).status_code == 422


def test_series_of_another_patient_cannot_be_slipped_in(
    client: Client, smile: Practice, maria: Patient, study: Stored
) -> None:
    other = made_study(make_patient(smile, "Harold", "Lindgren"))
    response = client.post(address_of(maria), form_of(study, series=[str(other.volume.id)]))
    assert response.status_code == 422
    assert not Share.objects.exists()


def test_mallory_shares_nothing_of_smile_dental(mallory: User, maria: Patient, study: Stored) -> None:
    client = signed_in(mallory)
    assert client.get(address_of(maria)).status_code == 404
    assert client.post(address_of(maria), form_of(study)).status_code == 404
    assert client.post(f"{address_of(maria)}/text", form_of(study)).status_code == 404
    assert not Share.objects.exists()
