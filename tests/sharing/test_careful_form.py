"""The share form's care: for patients of one name, for old numbers, for forms that arrive twice."""

from __future__ import annotations

import re
from datetime import date, timedelta
from threading import Barrier, Thread
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from portal.accounts.models import User
from portal.clock import now
from portal.errors import InvalidInput
from portal.records.models import Disclosure, Patient, Study
from portal.records.search_terms import rewrite_terms
from sharing.gateways.memory import Kept
from sharing.known import KnownAddress, ReadBack, SentForm
from sharing.models import Message, Share
from sharing.once import issue_once
from sharing.read_back import ask_read_back, give_read_back, read_back_text
from sharing.standing import mark_verified, standing_of
from tests.cast import actor_of, make_patient, signed_in
from tests.conftest import MovableClock
from tests.sharing.conftest import PHONE, make_share, make_study, run_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(dana: User) -> Client:
    return signed_in(dana)


@pytest.fixture
def study(pat: Patient) -> Study:
    rewrite_terms(pat)
    return make_study(pat)


def form_of(study: Study, **other: Any) -> dict[str, Any]:
    return {
        "series": [str(one.pk) for one in study.series.all()],
        "recipient_kind": "patient",
        "recipient_name": "Maria Garcia",
        "channel": "text",
        "address": PHONE,
        "language": "en",
        "allows_download": "no",
        "purpose": "patient-request",
        "days": "30",
        "consent": "on",
        **other,
    }


def send(client: Client, study: Study, **other: Any) -> Any:
    return client.post(f"/desk/patients/{study.patient_id}/share", form_of(study, **other))


def deed_of(study: Study) -> dict[str, Any]:
    return {
        "series": list(study.series.all()),
        "recipient_kind": "patient",
        "recipient_name": "",
        "channel": "text",
        "address": PHONE,
        "language": "en",
        "purpose": "patient-request",
        "consent": True,
        "allows_download": False,
        "expires_at": now() + timedelta(days=7),
    }


# --- F1 ------------------------------------------------------------------------------------------------------------


def test_f1_namesake_makes_the_desk_ask_for_the_birth_date(client: Client, study: Study) -> None:
    rewrite_terms(make_patient(study.practice, "MARIA", "García", date(1990, 1, 1)))
    page = client.get(f"/desk/patients/{study.patient_id}/share").content.decode()
    assert "Another patient has this name" in page
    assert "April 12, 1986" in page
    assert send(client, study).status_code == 422
    assert send(client, study, is_the_one="on").status_code == 302


def test_f1_same_birth_date_too_makes_the_desk_type_the_chart_number(client: Client, study: Study) -> None:
    Patient.objects.filter(pk=study.patient_id).update()
    study.patient.chart_number = "SP-101"
    study.patient.save()
    rewrite_terms(make_patient(study.practice, "Maria", "Garcia", chart_number="SP-102"))
    for typed in ("", "SP-102"):
        assert send(client, study, is_the_one="on", chart_number=typed).status_code == 422
    assert send(client, study, is_the_one="on", chart_number="sp 101").status_code == 302


def test_patient_without_a_namesake_is_not_asked_about(client: Client, study: Study) -> None:
    rewrite_terms(make_patient(study.practice, "Ana", "Garcia"))
    assert "Another patient" not in client.get(f"/desk/patients/{study.patient_id}/share").content.decode()


# --- F13 -----------------------------------------------------------------------------------------------------------


def test_f13_form_that_arrives_twice_makes_one_share_and_one_text(
    client: Client, study: Study, sent: list[Kept]
) -> None:
    page = client.get(f"/desk/patients/{study.patient_id}/share").content.decode()
    key = re.search(r'name="form_key" value="([^"]+)"', page)
    assert key
    for _ in range(2):
        assert send(client, study, form_key=key[1]).status_code == 302
    run_jobs()
    assert (Share.objects.count(), Disclosure.objects.count(), len(sent)) == (1, 1, 1)
    patient = client.get(f"/desk/patients/{study.patient_id}/").content.decode()
    assert "sent before, so nothing was sent again" in patient


def test_f13_form_that_failed_leaves_nothing_and_may_be_sent_again(
    study: Study, dana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, actor = uuid4(), actor_of(dana)
    monkeypatch.setattr("sharing.issue.queue_link", _fail)
    with pytest.raises(RuntimeError):
        issue_once(key, study.patient, actor=actor, **deed_of(study))
    assert not any(model.objects.exists() for model in (Share, Disclosure, Message, SentForm))
    monkeypatch.undo()
    assert issue_once(key, study.patient, actor=actor, **deed_of(study))[1]


def _fail(*_: Any, **__: Any) -> None:
    raise RuntimeError("the power is gone")


@pytest.mark.django_db(transaction=True)
def test_f13_parallel_arrivals_make_one_text(study: Study, dana: User, sent: list[Kept]) -> None:
    key, actor, start = uuid4(), actor_of(dana), Barrier(8)
    made: list[tuple[Share, bool]] = []

    def arrive() -> None:
        start.wait()
        made.append(issue_once(key, study.patient, actor=actor, **deed_of(study)))
        connection.close()

    threads = [Thread(target=arrive) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run_jobs()
    assert len({share.pk for share, _ in made}) == 1
    assert sorted(is_new for _, is_new in made) == [False] * 7 + [True]
    assert len(sent) == 1


# --- numbers -------------------------------------------------------------------------------------------------------


def test_number_read_back_at_the_desk_is_verified(
    client: Client, study: Study, dana: User, sent: list[Kept]
) -> None:
    asked = client.post(
        f"/desk/patients/{study.patient_id}/number/check", {"address": "(201) 555-0123", "language": "es"}
    ).content.decode()
    assert "on its way" in asked
    run_jobs()
    check = ReadBack.objects.get()
    code = sent[0].body.rsplit(" ", 1)[1]
    assert "recepcion" in sent[0].body
    assert "read it to you" in client.get(f"/desk/number-checks/{check.pk}").content.decode()
    wrong = client.post(f"/desk/number-checks/{check.pk}/code", {"read_back_code": "12345"})
    assert "4 tries left" in wrong.content.decode()
    right = client.post(f"/desk/number-checks/{check.pk}/code", {"read_back_code": f"{code[:3]} {code[3:]}"})
    assert "Checked" in right.content.decode()
    standing = standing_of(study.patient, PHONE)
    assert (standing.word, standing.by) == ("verified", dana.name)
    again = client.post(f"/desk/number-checks/{check.pk}/code", {"read_back_code": code})
    assert "Text a new one" in again.content.decode()


def test_five_wrong_codes_end_a_check(study: Study, dana: User, sent: list[Kept]) -> None:
    check = ask_read_back(study.patient, number=PHONE, language="en", actor=actor_of(dana))
    run_jobs()
    code = sent[0].body.rsplit(" ", 1)[1]
    client = signed_in(dana)
    for _ in range(5):
        client.post(f"/desk/number-checks/{check.pk}/code", {"read_back_code": "000"})
    late = client.post(f"/desk/number-checks/{check.pk}/code", {"read_back_code": code})
    assert "Text a new one" in late.content.decode()
    assert standing_of(study.patient, PHONE).word == "unknown"


def test_code_that_could_not_be_sent_is_told_at_once(study: Study, dana: User, settings: Any) -> None:
    settings.GATEWAY = "none"
    check = ask_read_back(study.patient, number=PHONE, language="en", actor=actor_of(dana))
    run_jobs()
    shown = signed_in(dana).get(f"/desk/number-checks/{check.pk}").content.decode()
    assert 'class="error"' in shown


def test_landlines_and_foreign_numbers_are_named_before_anything_is_sent(
    client: Client, study: Study
) -> None:
    page = f"/desk/patients/{study.patient_id}/number"
    for address, words in (
        ("+44 20 7946 0958", "other"),
        ("900 555 0123", "not a phone number"),
        ("12", "not a"),
    ):
        shown = client.post(page, {"address": address}).content.decode()
        assert 'class="error"' in shown, words
        assert "Text a code" not in shown
    assert "Text a code" in client.post(page, {"address": PHONE}).content.decode()
    assert (
        "Text a code"
        not in client.post(page, {"address": "a@b.example", "channel": "email"}).content.decode()
    )


def test_dentist_is_not_asked_to_read_a_code_out(client: Client, study: Study) -> None:
    page = f"/desk/patients/{study.patient_id}/number"
    shown = client.post(page, {"address": PHONE, "recipient_kind": "dentist"}).content.decode()
    assert "Text a code" not in shown
    wrong = client.post(page, {"address": "12", "recipient_kind": "dentist"}).content.decode()
    assert 'class="error"' in wrong


def test_p8_number_checked_long_ago_is_checked_again(
    client: Client, study: Study, dana: User, clock: MovableClock
) -> None:
    mark_verified(study.patient, PHONE, by=dana.pk)
    KnownAddress.objects.update(verified_at=now() - timedelta(days=366))
    answer = send(client, study)
    assert answer.status_code == 422
    assert "last checked long ago" in answer.content.decode()
    mark_verified(study.patient, PHONE, by=dana.pk)
    assert send(client, study).status_code == 302


def test_check_of_another_practice_is_not_found(study: Study, dana: User, mallory: User) -> None:
    check = ask_read_back(study.patient, number=PHONE, language="en", actor=actor_of(dana))
    stranger = signed_in(mallory)
    assert stranger.get(f"/desk/number-checks/{check.pk}").status_code == 404
    assert stranger.post(f"/desk/number-checks/{check.pk}/code").status_code == 404
    with pytest.raises(InvalidInput):
        ask_read_back(study.patient, number="", language="en", actor=actor_of(dana))


@pytest.mark.parametrize("language", ["en", "es"])
def test_text_of_a_check_is_one_segment_and_names_nobody(study: Study, language: str) -> None:
    text = read_back_text(study.practice, language=language, code="123456")
    assert len(text) <= 160
    assert "Maria" not in text
    assert text.endswith("123456")


# --- who it went to before -----------------------------------------------------------------------------------------


def test_recipients_are_remembered_with_number_and_language(
    client: Client, study: Study, dana: User, sent: list[Kept]
) -> None:
    make_share(study.patient, dana, recipient_kind="dentist", recipient_name="Dr. Riley", language="es")
    page = client.get(f"/desk/patients/{study.patient_id}/share").content.decode()
    assert '<button type="button" class="button button-small" data-before="0">Dr. Riley' in page
    assert '"language": "es"' in page
    client.post(f"/desk/shares/{Share.objects.get().pk}/wrong-number")
    assert "data-before" not in client.get(f"/desk/patients/{study.patient_id}/share").content.decode()


def test_language_a_patient_was_written_to_in_is_kept(client: Client, study: Study) -> None:
    assert send(client, study, language="es").status_code == 302
    page = client.get(f"/desk/patients/{study.patient_id}/share").content.decode()
    assert '<option value="es" selected>' in page


# --- taking it back ------------------------------------------------------------------------------------------------


def test_message_waits_while_it_can_be_undone(
    client: Client, study: Study, sent: list[Kept], clock: MovableClock, settings: Any
) -> None:
    settings.UNDO_S = 10
    shown = client.get(send(client, study)["Location"]).content.decode()
    assert "leaves in 10 seconds" in shown
    run_jobs()
    assert sent == []
    clock.advance(seconds=11)
    run_jobs()
    assert len(sent) == 1


def test_letter_needs_no_number(client: Client, study: Study) -> None:
    answer = send(client, study, channel="letter", address="")
    assert answer["Location"] == f"/desk/shares/{Share.objects.get().pk}/letter"
    preview = client.post(
        f"/desk/patients/{study.patient_id}/share/text", form_of(study, channel="letter", address="")
    )
    assert "prints a letter" in preview.content.decode()


def test_give_read_back_takes_foreign_actors_for_strangers(study: Study, dana: User, mallory: User) -> None:
    from portal.errors import NotFound

    check = ask_read_back(study.patient, number=PHONE, language="en", actor=actor_of(dana))
    with pytest.raises(NotFound):
        give_read_back(check, "123456", actor=actor_of(mallory))
