"""Scenarios in which the desk's part meets the phone's: families, ended links, forwarded links, a revoke mid-view."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client

from portal.accounts.models import User
from portal.records.models import Patient
from sharing.endings import sweep_endings
from sharing.evidence import evidence_of
from sharing.gateways.memory import Kept
from sharing.models import DeskTask, Message, Share
from tests.cast import make_patient, signed_in
from tests.conftest import MovableClock
from tests.sharing.conftest import PHONE, Recipient, make_share, run_jobs, token_in
from tests.viewer.conftest import Stored, body_of, made_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(dana: User) -> Client:
    return signed_in(dana)


def test_p2_a_siblings_birthday_costs_one_try_on_that_link_alone(
    client: Client, pat: Patient, dana: User, sent: list[Kept]
) -> None:
    born = {"Ana": date(2012, 1, 1), "Leo": date(2014, 2, 2), "Mia": date(2016, 3, 3)}
    for name, birthdate in born.items():
        make_share(make_patient(pat.practice, name, "Garcia", birthdate), dana)
    run_jobs()
    assert {kept.to for kept in sent} == {PHONE}
    links = dict(zip(born, (token_in(kept) for kept in sent), strict=True))
    for name, token in links.items():
        assert Recipient(sent).open(token).json()["for"] == f"{name} G."
    ana = Recipient(sent)
    ana.open(links["Ana"])
    for left in (4, 3):
        refused = ana.birthdate(2014, 2, 2).json()
        assert f"{left} tries left for Ana G" in refused["detail"]
    for _ in range(3):
        ana.birthdate(2014, 2, 2)
    locked = Share.objects.get(locked_at__isnull=False)
    assert locked.patient.given_name == "Ana"
    leo = Recipient(sent)
    leo.open(links["Leo"])
    assert leo.birthdate(2014, 2, 2).status_code == 200
    assert client.post(f"/desk/shares/{locked.pk}/unlock").status_code == 302
    again = Recipient(sent)
    again.open(links["Ana"])
    assert again.birthdate(2012, 1, 1).status_code == 200


def test_p5_ended_link_asks_for_a_new_one_in_one_tap_and_never_revives(
    share: Share, token: str, phone: Recipient, dana: User, sent: list[Kept], clock: MovableClock
) -> None:
    clock.advance(days=31)
    client = signed_in(dana)
    phone.open(token)
    assert phone.birthdate().status_code == 410
    page = phone.get("/s/ended").content.decode()
    assert "This link ended on" in page
    assert "+1 555 010 0199" in page
    for _ in range(2):
        phone.submit("/s/renew")
    assert DeskTask.objects.filter(kind=DeskTask.Kind.RENEWAL, done_at=None).count() == 1
    assert "A new link was asked for" in client.get("/desk/tasks").content.decode()
    client.post(f"/desk/shares/{share.pk}/renew")
    run_jobs()
    assert len(sent) == 2
    fresh = Recipient(sent)
    fresh.walk_in(token_in(sent[1]))
    assert "for" not in Recipient(sent).open(token).json()


def test_p6_forwarded_link_needs_the_code_that_goes_to_the_patients_phone(
    share: Share, token: str, sent: list[Kept]
) -> None:
    friend = Recipient(sent)
    friend.open(token)
    assert friend.birthdate().status_code == 200
    friend.ask_code()
    assert [kept.to for kept in sent] == [PHONE] * 2
    assert "You did not ask? Someone has your link" in sent[-1].body
    assert friend.post("/s/code/verify", {"code": "000000"}).status_code == 422
    assert friend.get("/s/view").status_code != 200
    assert evidence_of(share).released_nothing


def _ask_in_vain(friend: Recipient, clock: MovableClock) -> None:
    for _ in range(3):
        assert friend.post("/s/code").status_code == 202
        run_jobs()
        clock.advance(seconds=61)


def test_p6_third_code_nobody_typed_pauses_the_share_until_the_desk_has_asked(
    share: Share, token: str, sent: list[Kept], clock: MovableClock, client: Client
) -> None:
    friend = Recipient(sent)
    friend.open(token)
    friend.birthdate()
    _ask_in_vain(friend, clock)
    assert friend.post("/s/code").status_code == 429
    sweep_endings()
    assert not DeskTask.objects.exists(), "the third may still be typed in"
    clock.advance(minutes=10)
    sweep_endings()
    assert "nobody typed them in" in client.get("/desk/tasks").content.decode()
    assert friend.post("/s/code").status_code == 410
    assert len(sent) == 4
    assert client.post(f"/desk/shares/{share.pk}/unlock").status_code == 302
    assert not DeskTask.objects.filter(done_at=None).exists()
    clock.advance(minutes=5)
    Recipient(sent).walk_in(token)  # and the count begins anew


def test_p6_without_a_sweep_the_fourth_ask_pauses_the_share(
    share: Share, token: str, sent: list[Kept], clock: MovableClock
) -> None:
    friend = Recipient(sent)
    friend.open(token)
    friend.birthdate()
    _ask_in_vain(friend, clock)
    clock.advance(minutes=13)
    friend = Recipient(sent)
    friend.open(token)
    friend.birthdate()
    assert friend.post("/s/code").status_code == 410
    share.refresh_from_db()
    assert share.locked_at is not None
    assert DeskTask.objects.get().kind == DeskTask.Kind.UNREQUESTED


def test_p6_codes_that_never_left_or_were_tried_pause_nothing(
    share: Share, token: str, sent: list[Kept], clock: MovableClock
) -> None:
    waits = Recipient(sent)
    waits.open(token)
    waits.birthdate()
    for _ in range(3):
        waits.post("/s/code")
        clock.advance(seconds=61)
    Message.objects.filter(kind="code").update(state=Message.State.UNDELIVERED)
    clock.advance(minutes=11)
    sweep_endings()
    waits = Recipient(sent)
    waits.open(token)
    waits.birthdate()
    clock.advance(minutes=3)
    waits.post("/s/code/verify", {"code": f"{(int(waits.ask_code()) + 1) % 10**6:06}"})
    assert not DeskTask.objects.exists()


@pytest.fixture
def stored(pat: Patient) -> Stored:
    return made_study(pat)


def test_p12_revoked_mid_view_the_next_request_is_refused_and_the_last_byte_is_on_record(
    client: Client, stored: Stored, pat: Patient, dana: User, sent: list[Kept]
) -> None:
    share = make_share(pat, dana, series=list(stored.study.series.all()))
    run_jobs()
    phone = Recipient(sent)
    phone.walk_in(token_in(sent[0]))
    batch = body_of(phone.get(stored.frames("0-3")))
    assert client.post(f"/desk/shares/{share.pk}/revoke").status_code == 302
    assert phone.get(stored.frames("4-5")).status_code == 410
    assert phone.get(f"{stored.root}/heartbeat").status_code == 410
    known = evidence_of(share)
    assert known.length_bytes >= len(batch) - 4 * 8
    assert known.last_byte_at is not None
    assert known.last_byte_at <= Share.objects.get(pk=share.pk).revoked_at
    sheet = client.get(f"/desk/shares/{share.pk}/evidence").content.decode()
    assert "Images were released" in sheet
    assert "Series opened" in sheet


def test_f0_three_clicks_from_the_study_to_a_text_on_its_way(
    client: Client, pat: Patient, sent: list[Kept]
) -> None:
    stored = made_study(pat)
    pat.contacts.create(practice=pat.practice, kind="mobile", value=PHONE, created_at=pat.created_at)
    record = client.get(f"/desk/patients/{pat.pk}/record").content.decode()
    first = f"/desk/patients/{pat.pk}/share?study={stored.study.pk}"
    assert first in record  # one: Share
    form = client.get(first)
    asked = form.context["form"]
    filled = {name: asked[name].value() for name in asked.fields if name != "consent"}
    # Two: consent. Three: Send. All else is filled in.
    answer = client.post(first, {**filled, "consent": "on"})
    assert answer.status_code == 302
    assert Share.objects.get().disclosure.events.get().kind == "queued"  # the record comes first
    assert sent == []
    run_jobs()
    assert sent[0].to == PHONE
    assert Share.objects.get().expires_at - Share.objects.get().created_at >= timedelta(days=29)
