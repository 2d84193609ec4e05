"""Every address of pixels at both doors, against everyone who must not pass."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from portal.accounts.models import User
from portal.accounts.permissions import Action
from sharing.models import Download, Share, Tally
from tests.cast import signed_in
from tests.conftest import MovableClock
from tests.viewer.conftest import Stored, browser_of, share_of
from viewer.urls import urlpatterns

pytestmark = pytest.mark.django_db

ADDRESSES = {
    "manifest": "/studies/{study}/manifest.json",
    "heartbeat": "/studies/{study}/heartbeat",
    "frames": "/studies/{study}/series/{series}/levels/0/frames/0-1",
    "frames of the study": "/studies/{study}/levels/0/frames/0",
    "preview": "/studies/{study}/series/{series}/previews/axial.webp",
    "preview of the study": "/studies/{study}/previews/axial.webp",
    "slice": "/studies/{study}/series/{series}/slices/0.webp",
    "download": "/studies/{study}/download",
}
all_addresses = pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES.keys())


def test_every_address_is_in_these_tests() -> None:
    at_recipients_door = [str(one.pattern) for one in urlpatterns if str(one.pattern).startswith("studies/")]
    assert len(at_recipients_door) == len(ADDRESSES)


@all_addresses
def test_the_recipient_passes(address: str, stored: Stored, phone: Client) -> None:
    assert phone.get(address.format(study=stored.study.pk, series=stored.volume.id)).status_code in {200, 204}


@all_addresses
def test_staff_pass_at_their_door(address: str, stored: Stored, clara: User) -> None:
    answer = signed_in(clara).get("/desk" + address.format(study=stored.study.pk, series=stored.volume.id))
    assert answer.status_code in {200, 204}


@all_addresses
@pytest.mark.parametrize("method", ["get", "head"])
def test_mallory_finds_nothing_with_her_own_valid_session(
    address: str, method: str, stored: Stored, mallory_phone: Client
) -> None:
    answer = getattr(mallory_phone, method)(address.format(study=stored.study.pk, series=stored.volume.id))
    assert answer.status_code in {404, 405}
    assert not Tally.objects.exists()
    assert not Download.objects.exists()


@all_addresses
def test_mallory_cannot_put_pats_series_behind_her_own_study(
    address: str, stored: Stored, theirs: Stored, mallory_phone: Client
) -> None:
    path = address.format(study=theirs.study.pk, series=stored.volume.id)
    if str(stored.volume.id) in path:
        assert mallory_phone.get(path).status_code == 404


@all_addresses
def test_mallory_of_another_practice_finds_nothing_at_the_desk(
    address: str, stored: Stored, mallory: User
) -> None:
    answer = signed_in(mallory).get("/desk" + address.format(study=stored.study.pk, series=stored.volume.id))
    assert answer.status_code in {403, 404}, "403 is the download, which no front desk has"
    assert not Tally.objects.exists()


@all_addresses
@pytest.mark.parametrize("door", ["", "/desk"])
def test_strangers_are_sent_away(address: str, door: str, stored: Stored, client: Client) -> None:
    assert (
        client.get(door + address.format(study=stored.study.pk, series=stored.volume.id)).status_code == 401
    )


@all_addresses
def test_a_share_session_is_no_key_to_the_desk(address: str, stored: Stored, phone: Client) -> None:
    assert (
        phone.get("/desk" + address.format(study=stored.study.pk, series=stored.volume.id)).status_code == 401
    )


@all_addresses
def test_a_staff_session_is_no_key_to_the_recipients_door(address: str, stored: Stored, clara: User) -> None:
    assert (
        signed_in(clara).get(address.format(study=stored.study.pk, series=stored.volume.id)).status_code
        == 401
    )


@all_addresses
@pytest.mark.parametrize("step", ["opened", "matched", "decoy"])
def test_r16_no_step_before_the_code_opens_anything(
    address: str, step: str, stored: Stored, share: Share
) -> None:
    answer = browser_of(share, step=step).get(address.format(study=stored.study.pk, series=stored.volume.id))
    assert answer.status_code in {401, 403}


@all_addresses
def test_unknown_studies_and_series_look_like_foreign_ones(
    address: str, stored: Stored, theirs: Stored, phone: Client
) -> None:
    unknown = phone.get(address.format(study=uuid.uuid4(), series=uuid.uuid4()))
    foreign = phone.get(address.format(study=theirs.study.pk, series=theirs.volume.id))
    assert unknown.status_code == foreign.status_code == 404
    assert unknown.content == foreign.content


@all_addresses
def test_r22_nothing_that_leaves_may_be_kept(address: str, stored: Stored, phone: Client) -> None:
    assert (
        phone.get(address.format(study=stored.study.pk, series=stored.volume.id))["Cache-Control"]
        == "no-store"
    )


@pytest.mark.parametrize(
    ("who", "views", "downloads"),
    [("dana", True, False), ("clara", True, True), ("omar", True, True), ("olga", False, False)],
)
def test_roles_and_doors(
    who: str, views: bool, downloads: bool, stored: Stored, request: pytest.FixtureRequest
) -> None:
    desk = signed_in(request.getfixturevalue(who))
    assert (desk.get(f"/desk{stored.root}/manifest.json").status_code == 200) is views
    assert (desk.get(f"/desk{stored.root}/").status_code == 200) is views
    assert (desk.get(f"/desk{stored.root}/download").status_code == 200) is downloads


def test_each_address_has_the_action_it_says() -> None:
    doors = {one.name: one.callback for one in urlpatterns}
    assert doors["desk_study_download"].action == Action.DOWNLOAD
    assert all(view.door == "recipient" for name, view in doors.items() if not name.startswith("desk_"))
    assert all(view.door == "staff" for name, view in doors.items() if name.startswith("desk_"))


def test_a_view_only_share_downloads_nothing(stored: Stored, dana: User) -> None:
    phone = browser_of(share_of(stored, dana, allows_download=False))
    assert phone.get(f"{stored.root}/download").status_code == 403
    assert phone.get(f"{stored.root}/manifest.json").json()["download"] is None


def test_an_open_viewer_keeps_no_staff_signed_in_by_its_heartbeat(
    stored: Stored, dana: User, clock: MovableClock, settings: Any
) -> None:
    client, pulse = signed_in(dana), ADDRESSES["heartbeat"].format(study=stored.study.pk)
    for _ in range(4):
        assert client.get(f"/desk{pulse}").status_code == 204
        clock.advance(seconds=settings.STAFF_IDLE_S / 4 + 1)
    assert client.get(f"/desk{pulse}").status_code == 401
