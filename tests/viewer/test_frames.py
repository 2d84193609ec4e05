"""Batches of frames: what comes, in which order, what is counted, and who gets nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from django.conf import settings
from django.test import Client

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.dicom.frames import decode_item
from portal.records.models import DisclosureEvent
from portal.sealed.keys import forget_keys, shred_study_key
from portal.vault.manifest import Entry
from sharing.models import Share, Tally
from sharing.revoke import revoke
from tests.cast import actor_of, signed_in
from tests.viewer.conftest import Stored, body_of, browser_of, items_of, share_of
from tests.viewer.stored_study import encoded_items
from viewer.stored import StoredStudy

pytestmark = pytest.mark.django_db


def test_a_batch_holds_the_items_in_the_order_asked(stored: Stored, phone: Client) -> None:
    answer = phone.get(stored.frames("5,0-2,11"))
    body = body_of(answer)
    known = {(level, item): payload for level, item, payload in encoded_items(stored.volume)}
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/octet-stream"
    assert int(answer["Content-Length"]) == len(body)
    assert items_of(body) == [(item, known[0, item]) for item in (5, 0, 1, 2, 11)]


def test_an_item_is_the_frame_that_was_stored(stored: Stored, phone: Client) -> None:
    ((_, payload),) = items_of(body_of(phone.get(stored.frames("7"))))
    rows, columns = stored.volume.frames.shape[1:]
    assert (decode_item(payload, rows, columns, 1, 2) == stored.volume.frames[7]).all()


def test_every_level_of_every_series_comes_whole(stored: Stored, phone: Client) -> None:
    for number, one in enumerate(stored.series[:2]):
        known = {(level, item): payload for level, item, payload in encoded_items(one)}
        for size in one.levels():
            last = size.frames * size.strips - 1
            got = items_of(body_of(phone.get(stored.frames(f"0-{last}", level=size.level, series=number))))
            assert got == [(item, known[size.level, item]) for item in range(last + 1)]


def test_the_address_without_a_series_means_the_first(stored: Stored, phone: Client) -> None:
    by_study = body_of(phone.get(f"{stored.root}/levels/1/frames/0-3"))
    assert by_study == body_of(phone.get(stored.frames("0-3", level=1)))


@pytest.mark.parametrize(
    "ranges", ["", "a", "1-", "-1", "3-1", "1,,2", "01", "1;2", "0x1", " 1", "1-2-3", "٣", "0-512"]
)
def test_malformed_ranges_are_refused(stored: Stored, phone: Client, ranges: str) -> None:
    assert phone.get(stored.frames(ranges)).status_code == (404 if ranges == "" else 400)


@pytest.mark.parametrize("ranges", ["12", "0-12", "0,99999999"])
def test_items_that_are_not_there_are_not_found(stored: Stored, phone: Client, ranges: str) -> None:
    assert phone.get(stored.frames(ranges)).status_code == 404


@pytest.mark.parametrize("level", ["5", "4294967296", "9" * 5000])
def test_levels_that_are_not_there_are_not_found(stored: Stored, phone: Client, level: str) -> None:
    assert phone.get(stored.frames("0", level=level)).status_code == 404  # type: ignore[arg-type]


def test_a_batch_over_the_limit_says_the_limit(stored: Stored, phone: Client, settings) -> None:
    settings.BATCH_MAX_BYTES = 20_000
    answer = phone.get(stored.frames("0-11"))
    assert answer.status_code == 413
    assert answer.json()["max_bytes"] == 20_000
    assert answer["Content-Type"] == "application/problem+json"
    assert not Tally.objects.exists(), "what wasn't sent isn't counted"


def test_one_item_is_served_whatever_its_size(stored: Stored, phone: Client, settings) -> None:
    settings.BATCH_MAX_BYTES = 10
    assert phone.get(stored.frames("3")).status_code == 200


# --- what is counted -----------------------------------------------------------------------------------------------


def test_the_tally_is_what_left(stored: Stored, phone: Client) -> None:
    first = len(body_of(phone.get(stored.frames("0-3"))))
    second = len(body_of(phone.get(stored.frames("0", level=1))))
    tally = Tally.objects.get()
    assert (tally.levels, tally.frames, tally.length_bytes) == (0b11, 5, first + second)


def test_a_series_is_opened_once_in_the_trail_and_in_the_record(
    stored: Stored, phone: Client, share: Share
) -> None:
    for ranges in ("0", "1", "2"):
        phone.get(stored.frames(ranges))
    entry = AuditEntry.objects.get(code="series.opened")
    assert entry.share_id == share.pk
    assert entry.study_id == stored.study.pk
    assert DisclosureEvent.objects.filter(kind="viewed", disclosure=share.disclosure_id).count() == 1


@pytest.mark.parametrize("method", ["head", "options", "post", "put", "delete"])
def test_no_other_method_releases_or_counts_anything(stored: Stored, phone: Client, method: str) -> None:
    assert getattr(phone, method)(stored.frames("0")).status_code == 405
    assert not Tally.objects.exists()


# --- who gets nothing ----------------------------------------------------------------------------------------------


def test_a_revoked_share_stops_the_next_batch(
    stored: Stored, phone: Client, share: Share, dana: User
) -> None:
    assert phone.get(stored.frames("0")).status_code == 200
    revoke(share, actor=actor_of(dana))
    answer = phone.get(stored.frames("1"))
    assert answer.status_code in {401, 410}
    assert Tally.objects.get().frames == 1


def test_an_expired_share_stops_the_next_batch(stored: Stored, phone: Client, clock) -> None:
    clock.advance(days=31)
    assert phone.get(stored.frames("0")).status_code in {401, 410}


def test_a_session_that_idled_out_gets_nothing(stored: Stored, phone: Client, clock) -> None:
    clock.advance(minutes=16)
    assert phone.get(stored.frames("0")).status_code == 401


@pytest.mark.parametrize("step", ["opened", "matched", "decoy"])
def test_no_earlier_step_opens_a_frame(stored: Stored, share: Share, step: str) -> None:
    assert browser_of(share, step=step).get(stored.frames("0")).status_code in {401, 403}


def test_a_share_of_one_series_opens_no_other(stored: Stored, dana: User) -> None:
    phone = browser_of(share_of(stored, dana, series=[1]))
    assert phone.get(stored.frames("0", series=1)).status_code == 200
    assert phone.get(stored.frames("0", series=0)).status_code == 404
    assert items_of(body_of(phone.get(f"{stored.root}/levels/0/frames/0")))[0][1] == next(
        payload for _, _, payload in encoded_items(stored.series[1])
    )


def test_a_series_without_pictures_has_no_frames(stored: Stored, phone: Client) -> None:
    assert phone.get(stored.frames("0", series=2)).status_code == 404


def test_a_shredded_study_opens_no_more(stored: Stored, phone: Client) -> None:
    shred_study_key(stored.study.practice_id, stored.study.pk)
    forget_keys()
    assert phone.get(stored.frames("0")).status_code == 503


def test_staff_read_at_their_own_door_and_nowhere_else(stored: Stored, dana: User) -> None:
    desk = signed_in(dana)
    assert desk.get(stored.frames("0", door="/desk")).status_code == 200
    assert desk.get(stored.frames("0")).status_code == 401


def test_a_role_without_images_gets_none(stored: Stored, olga: User) -> None:
    assert signed_in(olga).get(stored.frames("0", door="/desk")).status_code == 403


def test_v27_whoever_leaves_leaves_nothing_being_read(
    stored: Stored, phone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch is opened whole before the first byte of its answer: after that there is nothing left to stop."""
    opened: list[int] = []
    read = StoredStudy.read_frames_into

    def counted(self: StoredStudy, entries: Sequence[Entry], rooms: Iterable[memoryview]) -> None:
        opened.append(len(entries))
        read(self, entries, rooms)

    monkeypatch.setattr(StoredStudy, "read_frames_into", counted)
    answer = phone.get(stored.frames("0-4"))
    assert opened == [5]
    assert not answer.streaming
    assert len(body_of(answer)) <= settings.BATCH_MAX_BYTES == 4 * 1024 * 1024
    assert opened == [5]
