"""R13 and F14: a patient's right to a copy, with its clock, and the answer in one tap."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from portal.audit.models import AuditEntry
from portal.errors import Conflict, InvalidInput, NotFound
from portal.records.access_requests import (
    extend_request,
    get_request,
    open_request,
    open_requests,
    refuse_request,
    today_at,
    urgent_requests,
)
from portal.records.guardians import add_guardian
from portal.records.models import Contact
from portal.records.rights import AccessRequest
from sharing.fulfil import fulfil
from sharing.models import Share
from tests.cast import actor_of, make_patient, signed_in
from tests.sharing.conftest import PHONE, make_study, run_jobs


@pytest.fixture
def asked(pat, dana):
    """Pat asked today; there are images, and her number is on file."""
    make_study(pat)
    make_study(pat, title="Panoramic", series=1)
    Contact.objects.create(
        practice=pat.practice,
        patient=pat,
        kind="mobile",
        value=PHONE,
        language="es",
        created_at=pat.created_at,
    )
    return open_request(
        pat,
        requested_by="Maria Garcia",
        wanted="A copy of all images",
        received_on=today_at(pat.practice),
        actor=actor_of(dana),
    )


def test_f14_the_clock_and_the_alert_at_day_20(pat, asked, smile, dana, clock):
    assert asked.due_on == asked.received_on + timedelta(days=30)
    assert urgent_requests(smile) == []
    clock.advance(days=19)
    assert urgent_requests(smile) == []
    clock.advance(days=1)
    (one,) = urgent_requests(smile)
    assert (one.day, one.days_left, one.is_late) == (20, 10, False)
    tasks = signed_in(dana).get("/desk/tasks").content.decode()
    assert "Waits for a copy" in tasks
    clock.advance(days=11)
    assert urgent_requests(smile)[0].is_late
    assert "Late since" in signed_in(dana).get("/desk/requests/").content.decode()


def test_f14_one_tap_makes_the_share_and_answers_the_request(pat, asked, dana, sent):
    done = signed_in(dana).post(f"/desk/requests/{asked.pk}/fulfil")
    assert done["Location"] == f"/desk/patients/{pat.pk}/"
    share = Share.objects.get()
    row = get_request(pat.practice_id, asked.pk)
    assert (row.state, row.disclosure_id) == ("fulfilled", share.disclosure_id)
    assert share.allows_download, "a copy of the originals, free"
    assert share.shared_series.count() == 3, "all of it"
    assert (share.address, share.language) == (PHONE, "es")
    assert share.disclosure.accounting == "exempt-individual"
    run_jobs()
    assert len(sent) == 1
    assert open_requests(pat.practice) == []
    codes = list(AuditEntry.objects.filter(patient_id=pat.pk).order_by("n").values_list("code", flat=True))
    assert codes[-3:-1] == ["share.created", "request.fulfilled"]
    with pytest.raises(Conflict):
        fulfil(row, actor=actor_of(dana))
    assert Share.objects.count() == 1


def test_f14_without_a_number_it_becomes_a_letter(smile, dana, sent):
    harold = make_patient(smile, "Harold", "Webb")
    make_study(harold)
    asked = open_request(
        harold, requested_by="Harold Webb", wanted="All", received_on=today_at(smile), actor=actor_of(dana)
    )
    done = signed_in(dana).post(f"/desk/requests/{asked.pk}/fulfil")
    share = Share.objects.get()
    assert share.channel == "letter"
    assert done["Location"] == f"/desk/shares/{share.pk}/letter"


def test_f14_a_guardian_who_asks_gets_it(smile, dana, sent):
    leo = make_patient(smile, "Leo", "Garcia", today_at(smile) - timedelta(days=3000))
    make_study(leo)
    ana = add_guardian(
        leo,
        kind="parent",
        name="Ana Garcia",
        documents="License",
        mobile="+12015550124",
        actor=actor_of(dana),
    )
    asked = open_request(
        leo, requested_by="ana garcía", wanted="All", received_on=today_at(smile), actor=actor_of(dana)
    )
    share = fulfil(asked, actor=actor_of(dana))
    assert (share.disclosure.recipient_kind, share.address) == ("guardian", "+12015550124")
    assert share.disclosure.guardianship == ana


def test_r13_a_refusal_needs_a_reason_and_the_privacy_officer(asked, dana, olga):
    with pytest.raises(InvalidInput) as caught:
        refuse_request(asked, reason=" ", actor=actor_of(olga))
    assert caught.value.details["field"] == "reason"
    assert signed_in(dana).post(f"/desk/requests/{asked.pk}/refuse", {"reason": "No time"}).status_code == 403
    officer = signed_in(olga)
    assert officer.post(f"/desk/requests/{asked.pk}/refuse", {"reason": ""}).status_code == 422
    assert officer.post(f"/desk/requests/{asked.pk}/refuse", {"reason": "Not our patient"}).status_code == 302
    assert AccessRequest.objects.get().refusal_reason == "Not our patient"
    assert "Not our patient" in officer.get("/desk/requests/").content.decode()
    with pytest.raises(Conflict):
        refuse_request(asked, reason="Once more", actor=actor_of(olga))


def test_r13_the_time_is_made_longer_once(asked, olga):
    extend_request(asked, reason="The films are in the archive", actor=actor_of(olga))
    assert AccessRequest.objects.get().due_on == asked.received_on + timedelta(days=60)
    with pytest.raises(Conflict):
        extend_request(asked, reason="Still there", actor=actor_of(olga))


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"requested_by": " "}, "requested_by"), ({"wanted": ""}, "wanted")],
)
def test_what_cannot_be_noted(pat, dana, changes, field):
    wanted = {"requested_by": "Maria", "wanted": "All", "received_on": today_at(pat.practice)}
    with pytest.raises(InvalidInput) as caught:
        open_request(pat, **{**wanted, **changes}, actor=actor_of(dana))
    assert caught.value.details["field"] == field


@pytest.mark.parametrize("days", [1, -400])
def test_the_day_it_came_lies_behind(pat, dana, days):
    with pytest.raises(InvalidInput):
        open_request(
            pat,
            requested_by="Maria",
            wanted="All",
            received_on=today_at(pat.practice) + timedelta(days=days),
            actor=actor_of(dana),
        )


def test_nothing_to_send_is_said(pat, dana):
    asked = open_request(
        pat, requested_by="Maria", wanted="All", received_on=today_at(pat.practice), actor=actor_of(dana)
    )
    answer = signed_in(dana).post(f"/desk/requests/{asked.pk}/fulfil")
    assert answer.status_code == 422
    assert "There are no images of this patient yet" in answer.content.decode()


def test_mallory_answers_no_request_of_ours(asked, mallory):
    with pytest.raises(NotFound):
        fulfil(asked, actor=actor_of(mallory))
    assert signed_in(mallory).post(f"/desk/requests/{asked.pk}/fulfil").status_code == 404
    assert "Garcia" not in signed_in(mallory).get("/desk/requests/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_f14_two_taps_at_once_make_one_share(asked, dana, sent):
    def tap(_number):
        try:
            fulfil(asked, actor=actor_of(dana))
        except Conflict:
            return "answered"
        finally:
            connection.close()
        return "made"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(tap, range(4))) == ["answered"] * 3 + ["made"]
    assert Share.objects.count() == 1


def test_the_form_on_the_patients_page(pat, dana):
    desk = signed_in(dana)
    assert "Asks for a copy" in desk.get(f"/desk/patients/{pat.pk}/").content.decode()
    form = desk.get(f"/desk/patients/{pat.pk}/requests").content.decode()
    assert "Maria Garcia" in form
    fields = {
        "requested_by": "Maria Garcia",
        "wanted": "All",
        "received_on": today_at(pat.practice).isoformat(),
    }
    assert desk.post(f"/desk/patients/{pat.pk}/requests", fields)["Location"] == "/desk/requests/"
    assert (
        desk.post(f"/desk/patients/{pat.pk}/requests", {**fields, "received_on": "soon"}).status_code == 422
    )
