"""Disclosures on the patient's page: their state, what can be done about them, and what waits on the desk."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.accounts.models import User
from portal.clock import now
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent, Patient, Series
from sharing.issue import issue
from sharing.models import DeskTask, Message, Share
from sharing.todo import add_task
from tests.cast import actor_of, signed_in
from tests.conftest import MovableClock
from tests.viewer.conftest import made_study

pytestmark = pytest.mark.django_db
Kind = DisclosureEvent.Kind


def issued(patient: Patient, dana: User, series: list[Series]) -> Share:
    return issue(
        patient,
        series=series,
        recipient_kind="patient",
        recipient_name="Maria Garcia",
        channel="text",
        address="+1 206-555-0142",
        language="en",
        purpose="patient-request",
        consent=True,
        allows_download=False,
        expires_at=now() + timedelta(days=7),
        actor=actor_of(dana),
    )


@pytest.fixture
def share(dana: User, pat: Patient) -> Share:
    return issued(pat, dana, [made_study(pat).study.series.order_by("position")[0]])


@pytest.fixture
def client(dana: User) -> Client:
    return signed_in(dana)


def happened(share: Share, *kinds: str) -> None:
    with transaction.atomic():
        for kind in kinds:
            note(share.disclosure_id, kind, series="one")


def listed(client: Client, share: Share) -> str:
    return client.get(f"/desk/patients/{share.patient_id}/shares").content.decode()


def test_the_list_asks_as_often_for_many_as_for_one(client: Client, share: Share, dana: User) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            listed(client, share)
        return len(queries)

    listed(client, share)
    few = asked()
    for _ in range(3):
        issued(share.patient, dana, [row.series for row in share.shared_series.all()])
    assert asked() == few


def badge(page: str) -> str:
    found = re.search(r'class="badge badge-\w+">([^<]+)<', page)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("kinds", "word"),
    [
        ((), "Queued"),
        ((Kind.SENT,), "Sent"),
        ((Kind.SEND_FAILED,), "Not sent"),
        ((Kind.SENT, Kind.OPENED), "Opened"),
        ((Kind.SENT, Kind.OPENED, Kind.VERIFIED), "Verified"),
        ((Kind.SENT, Kind.OPENED, Kind.VERIFIED, Kind.VIEWED), "Viewed"),
        ((Kind.SENT, Kind.OPENED, Kind.VERIFIED, Kind.DOWNLOADED, Kind.VIEWED), "Downloaded"),
    ],
)
def test_list_says_how_far_a_share_has_come(
    client: Client, share: Share, kinds: tuple[str, ...], word: str
) -> None:
    happened(share, *kinds)
    assert badge(listed(client, share)) == word


def test_list_says_that_a_share_has_expired_and_offers_a_new_link(
    client: Client, share: Share, clock: MovableClock
) -> None:
    Message.objects.update(state=Message.State.SENT)
    Share.objects.filter(pk=share.pk).update(expires_at=share.created_at + timedelta(microseconds=1))
    page = listed(client, share)
    assert badge(page) == "Expired"
    assert "Send a new link" in page
    assert client.post(f"/desk/shares/{share.pk}/renew").status_code == 302
    share.refresh_from_db()
    assert share.expires_at > now() + timedelta(days=29)
    assert Message.objects.filter(share=share).count() == 2


def test_revoking_ends_the_share_and_its_buttons(client: Client, share: Share) -> None:
    assert client.post(f"/desk/shares/{share.pk}/revoke")["Location"] == f"/desk/patients/{share.patient_id}/"
    page = listed(client, share)
    assert badge(page) == "Revoked"
    assert "/revoke" not in page
    assert "/resend" not in page
    assert client.post(f"/desk/shares/{share.pk}/revoke").status_code == 409


def test_resending_queues_a_new_link_once(client: Client, share: Share) -> None:
    Message.objects.update(state=Message.State.SENT)
    client.post(f"/desk/shares/{share.pk}/resend")
    client.post(f"/desk/shares/{share.pk}/resend")
    assert Message.objects.filter(share=share, state=Message.State.QUEUED).count() == 1


def test_locked_share_is_a_task_until_it_is_unlocked(client: Client, share: Share) -> None:
    Share.objects.filter(pk=share.pk).update(locked_at=now(), match_misses=5)
    with transaction.atomic():
        add_task(share, DeskTask.Kind.LOCKED)
    happened(share, Kind.LOCKED)
    assert badge(listed(client, share)) == "Locked"
    assert f"/desk/shares/{share.pk}/unlock" in client.get("/desk/tasks").content.decode()
    assert client.post(f"/desk/shares/{share.pk}/unlock").status_code == 302
    share.refresh_from_db()
    assert (share.locked_at, share.match_misses) == (None, 0)
    assert "To do" not in client.get("/desk/tasks").content.decode()


def test_verbs_of_a_share_need_a_post(client: Client, share: Share) -> None:
    for verb in ("revoke", "resend", "unlock", "renew"):
        assert client.get(f"/desk/shares/{share.pk}/{verb}").status_code == 405
    share.refresh_from_db()
    assert share.revoked_at is None


def test_verbs_of_a_share_need_the_token_of_the_page(dana: User, share: Share) -> None:
    client = Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1"})
    client.cookies["staff"] = signed_in(dana).cookies["staff"].value
    assert client.post(f"/desk/shares/{share.pk}/revoke").status_code == 403
    share.refresh_from_db()
    assert share.revoked_at is None


def test_mallory_can_do_nothing_about_it(mallory: User, share: Share) -> None:
    client = signed_in(mallory)
    for verb in ("revoke", "resend", "unlock", "renew"):
        assert client.post(f"/desk/shares/{share.pk}/{verb}").status_code == 404
    assert client.get(f"/desk/patients/{share.patient_id}/shares").status_code == 404
    assert "Garcia" not in client.get("/desk/tasks").content.decode()


def test_privacy_officer_may_revoke_and_no_more(olga: User, share: Share) -> None:
    client = signed_in(olga)
    page = listed(client, share)
    assert "/revoke" in page
    assert "/resend" not in page
    assert client.post(f"/desk/shares/{share.pk}/resend").status_code == 403
    assert client.post(f"/desk/shares/{share.pk}/revoke").status_code == 302


def test_list_refreshes_itself_only_when_something_happened(client: Client, share: Share) -> None:
    htmx = {"HX-Request": "true", "X-Background": "1"}
    found = re.search(r'hx-get="([^"]*/shares\?seen=[0-9a-f]+)"', listed(client, share))
    assert found
    assert client.get(found[1], headers=htmx).status_code == 204
    happened(share, Kind.SENT)
    changed = client.get(found[1], headers=htmx)
    assert changed.status_code == 200
    assert "<html" not in changed.content.decode()


def test_renewal_asked_by_the_patient_is_a_task(client: Client, share: Share) -> None:
    with transaction.atomic():
        add_task(share, DeskTask.Kind.RENEWAL)
    page = client.get("/desk/tasks").content.decode()
    assert "A new link was asked for" in page
    client.post(f"/desk/shares/{share.pk}/renew")
    assert "A new link was asked for" not in client.get("/desk/tasks").content.decode()


@pytest.mark.parametrize(("who", "offered"), [("dana", False), ("clara", True)])
def test_viewer_offers_the_download_only_to_those_who_may(
    request: pytest.FixtureRequest, pat: Patient, who: str, offered: bool
) -> None:
    study = made_study(pat).study
    client = signed_in(request.getfixturevalue(who))
    manifest = client.get(f"/desk/studies/{study.pk}/manifest.json").json()
    assert (manifest["download"] is not None) == manifest["allows_download"] == offered


def test_a_long_list_of_tasks_says_how_many_wait_behind_it(
    client: Client, share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sharing.desk_rows.TASKS_SHOWN", 1)
    for kind in (DeskTask.Kind.RENEWAL, DeskTask.Kind.LOCKED, DeskTask.Kind.HELD):
        add_task(share, kind)
    assert '<span class="number">2</span> more wait' in client.get("/desk/tasks").content.decode()
    monkeypatch.setattr("sharing.desk_rows.TASKS_SHOWN", 3)
    assert "more wait" not in client.get("/desk/tasks").content.decode()
