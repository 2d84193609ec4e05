"""A batch in pieces: the same bytes, for one reader at a time, and none that may not leave."""

from __future__ import annotations

from threading import Event, Thread

import pytest
from django.http import HttpResponse
from django.test import Client

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.errors import VaultDamaged
from sharing.models import Share, Tally
from sharing.revoke import revoke
from tests.cast import actor_of
from tests.viewer.conftest import Stored, body_of, entry_of, flip, items_of
from viewer import piecemeal
from viewer.frames import Batch
from viewer.turns import in_turn, is_alone

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def pieces_of_about_two_items(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        piecemeal, "PIECE_BYTES", 2 * (max(entry_of(stored, n).length for n in range(12)) + 8)
    )


@pytest.fixture(autouse=True)
def the_seat_is_free_again():
    yield
    assert not piecemeal._seat.locked()


def indexes(body: bytes) -> list[int]:
    return [index for index, _ in items_of(body)]


def test_a_reader_alone_gets_the_same_bytes_in_pieces(
    stored: Stored, phone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = phone.get(stored.frames("0-11"))
    pieces = list(answer.streaming_content)
    assert len(pieces) >= 6
    assert all(len(piece) <= piecemeal.PIECE_BYTES for piece in pieces)
    monkeypatch.setattr(piecemeal, "is_alone", lambda: False)
    whole = phone.get(stored.frames("0-11"))
    assert not whole.streaming
    assert b"".join(pieces) == whole.content
    assert int(answer["Content-Length"]) == int(whole["Content-Length"]) == len(whole.content)
    assert {name: value for name, value in answer.items() if name != "Content-Length"} == {
        name: value for name, value in whole.items() if name != "Content-Length"
    }


def test_who_asks_beside_another_is_answered_whole(stored: Stored, phone: Client) -> None:
    first = phone.get(stored.frames("0-11"))
    beside = phone.get(stored.frames("0-11"))
    assert (first.streaming, beside.streaming) == (True, False)
    assert body_of(first) == beside.content
    again = phone.get(stored.frames("0-11"))
    assert again.streaming
    body_of(again)


def test_a_small_batch_is_one_piece(stored: Stored, phone: Client) -> None:
    assert not phone.get(stored.frames("3")).streaming


def test_no_one_is_alone_while_another_batch_is_under_way(rf) -> None:
    told, seen = Event(), Event()

    def waits(request: object) -> HttpResponse:
        told.set()
        seen.wait(10)
        return HttpResponse()

    other = Thread(target=in_turn(waits), args=(rf.get("/"),))
    other.start()
    assert told.wait(10)
    answers: list[bool] = []
    in_turn(lambda _: answers.append(is_alone()) or HttpResponse())(rf.get("/"))
    seen.set()
    other.join()
    in_turn(lambda _: answers.append(is_alone()) or HttpResponse())(rf.get("/"))
    assert answers == [False, True]


def test_what_leaves_is_counted_before_its_first_piece(stored: Stored, phone: Client) -> None:
    answer = phone.get(stored.frames("0-11"))
    tally = Tally.objects.get()
    assert (tally.frames, tally.length_bytes) == (12, int(answer["Content-Length"]))
    body_of(answer)
    assert Tally.objects.get().frames == 12


def test_who_leaves_before_the_first_piece_gives_the_seat_back(stored: Stored, phone: Client) -> None:
    answer = phone.get(stored.frames("0-11"))
    assert piecemeal._seat.locked()
    for (
        close
    ) in answer._resource_closers:  # what the server does; answer.close() would end this test's connection
        close()
    assert not piecemeal._seat.locked()


def test_the_seat_is_free_before_the_last_piece_is_read(stored: Stored, phone: Client) -> None:
    answer = phone.get(stored.frames("0-11"))
    left = int(answer["Content-Length"])
    for piece in answer.streaming_content:
        left -= len(piece)
        assert piecemeal._seat.locked() == bool(left)


def test_damage_in_the_first_piece_is_a_refusal(stored: Stored, phone: Client) -> None:
    flip(entry_of(stored, 1), 150)
    answer = phone.get(stored.frames("0-11"))
    assert (answer.status_code, answer.streaming) == (503, False)
    assert AuditEntry.objects.filter(code="vault.damaged").count() == 1


def test_later_damage_cuts_the_answer_short_before_it(stored: Stored, phone: Client) -> None:
    flip(entry_of(stored, 7), 150)
    answer = phone.get(stored.frames("0-11"))
    body = body_of(answer)
    assert len(body) < int(answer["Content-Length"])
    assert indexes(body) == list(range(len(indexes(body))))
    assert 5 <= len(indexes(body)) <= 7
    assert AuditEntry.objects.get(code="vault.damaged").outcome == "failed"
    # Asked for first, it is refused; without it, the rest comes.
    assert phone.get(stored.frames("7-11")).status_code == 503
    assert indexes(body_of(phone.get(stored.frames("8-11")))) == [8, 9, 10, 11]


def test_a_reader_who_lingers_gets_nothing_that_is_opened_after_a_revoke(
    stored: Stored, phone: Client, share: Share, dana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piecemeal, "ASK_AGAIN_S", 0)
    answer = phone.get(stored.frames("0-11"))
    pieces = iter(answer.streaming_content)
    got = [next(pieces), next(pieces)]
    revoke(share, actor=actor_of(dana))
    got += pieces
    assert len(got) == 2


def test_a_reader_who_does_not_linger_is_not_asked_for_again(
    stored: Stored, phone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piecemeal, "still_live", lambda _: pytest.fail("asked"))
    assert len(indexes(body_of(phone.get(stored.frames("0-11"))))) == 12


def test_parts_are_the_batch_in_its_order_and_none_is_empty(stored: Stored) -> None:
    entries = tuple(entry_of(stored, n) for n in range(12))
    batch = Batch(tuple(range(12)), entries, 1)
    for most in (1, entries[0].length, 5_000, piecemeal.PIECE_BYTES, batch.length_bytes, 10**9):
        parts = batch.parts(most)
        assert [item for part in parts for item in part.items] == list(batch.items)
        assert sum(part.length_bytes for part in parts) == batch.length_bytes
        assert all(len(part.items) == 1 or part.length_bytes <= most for part in parts)
    assert len(batch.parts(batch.length_bytes)) == 1
    assert len(batch.parts(batch.length_bytes - 1)) == 2


def test_a_batch_that_cannot_begin_leaves_the_seat_free(stored: Stored, phone: Client, monkeypatch) -> None:
    def refuse(self: Batch, stored: object) -> bytes:
        raise VaultDamaged("tag")

    monkeypatch.setattr(Batch, "read", refuse)
    assert phone.get(stored.frames("0-11")).status_code == 503
    assert not piecemeal._seat.locked()
