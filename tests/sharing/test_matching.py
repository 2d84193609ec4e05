"""The match check: misses cost tries, five lock the share alone, and a stranger learns nothing of links that ended."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from portal.audit.models import AuditEntry
from portal.clock import now
from portal.records.models import DisclosureEvent
from sharing.models import DeskTask, Share, ShareSession
from sharing.renew import renew
from sharing.unlock import unlock
from tests.cast import actor_of
from tests.sharing.conftest import Recipient, make_share, run_jobs, token_in

UNKNOWN = "1111111111111111111111"


def test_p14_a_miss_tells_the_tries_left_and_no_hint(phone, token, share, pat, dana):
    other = make_share(pat, dana)
    phone.open(token)
    answers = [phone.birthdate(month=5).json() for _ in range(3)]
    assert [answer["tries_left"] for answer in answers] == [4, 3, 2]
    assert answers[2]["detail"] == "That does not match. 2 tries left for Maria G."
    assert phone.birthdate().status_code == 200
    share.refresh_from_db()
    other.refresh_from_db()
    assert (share.match_misses, other.match_misses) == (3, 0)


def test_p1_five_misses_lock_the_share_and_alert_the_desk_which_unlocks_it(phone, token, share, dana):
    phone.open(token)
    for _ in range(4):
        phone.birthdate(year=1987)
    last = phone.birthdate(year=1987)
    assert last.status_code == 422
    assert last.json()["tries_left"] == 0
    assert "locked" in last.json()["detail"]
    assert "Smile Dental" in last.json()["detail"]
    share.refresh_from_db()
    assert share.locked_at is not None
    assert DeskTask.objects.get(share=share).kind == "locked"
    assert phone.birthdate().status_code == 422, "not even the right date is looked at any more"
    assert AuditEntry.objects.filter(code="share.locked").count() == 1
    assert DisclosureEvent.objects.filter(kind="locked").count() == 1
    unlock(share, actor=actor_of(dana))
    assert not DeskTask.objects.filter(done_at=None).exists()
    fresh = Recipient(phone.sent)
    assert fresh.open(token).status_code == 200
    assert fresh.birthdate().status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"year": 86, "month": 4, "day": 12}, "year"),
        ({"year": 1986, "month": 13, "day": 12}, "month"),
        ({"year": 1986, "month": 2, "day": 30}, "month"),
        ({"year": "", "month": "", "day": ""}, "month"),
        ({"year": "1986", "month": "April", "day": "12"}, "month"),
        ({"year": "1e3", "month": 4, "day": 12}, "month"),
        ({"year": -1986, "month": 4, "day": 12}, "month"),
        ({}, "month"),
    ],
)
def test_p14_a_date_that_cannot_be_is_no_try(phone, token, share, body, field):
    phone.open(token)
    answer = phone.post("/s/birthdate", body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    share.refresh_from_db()
    assert share.match_misses == 0


@pytest.mark.parametrize(
    "body",
    [
        {"year": "１９８６", "month": "０４", "day": "１２"},
        {"year": "١٩٨٦", "month": "٤", "day": "١٢"},
        {"year": " 1986 ", "month": "04", "day": 12},
    ],
)
def test_p14_digits_of_any_keyboard_are_read(phone, token, body):
    phone.open(token)
    assert phone.post("/s/birthdate", body).status_code == 200


def _make_it(ending: str, share: Share) -> None:
    moment = now()
    changes = {
        "expired": {"created_at": moment - timedelta(days=9), "expires_at": moment - timedelta(days=1)},
        "revoked": {"revoked_at": moment},
        "locked": {"locked_at": moment, "match_misses": 5},
    }
    Share.objects.filter(pk=share.pk).update(**changes[ending])


@pytest.mark.parametrize("ending", ["expired", "revoked", "locked"])
def test_r14_an_ended_link_answers_a_stranger_like_one_that_never_was(phone, token, share, ending):
    _make_it(ending, share)
    stranger = Recipient(phone.sent)
    for one, known in ((phone, token), (stranger, UNKNOWN)):
        one.said = [one.open(known)]
        one.said += [
            one.get("/s/birthdate"),
            one.birthdate(year=1987),
            one.post("/s/code"),
            one.post("/s/renew"),
        ]
        one.said += [one.post("/s/address", {"address": "a@b.example"})]
        one.said += [one.submit("/s/birthdate", year=1950, month=2, day=3)]
        one.said += [
            one.get(path) for path in ("/s/code", "/s/code/verify", "/s/ended", "/s/view", "/s/address")
        ]
    for ended, unknown in zip(phone.said, stranger.said, strict=True):
        assert ended.status_code == unknown.status_code
        assert _without_csrf(ended.content) == _without_csrf(unknown.content)
        assert ended.headers.keys() == unknown.headers.keys()
    assert phone.said[0].status_code == 404
    assert phone.said[0].json()["next"] == "birthdate"
    assert b"Maria" not in b"".join(answer.content for answer in phone.said)
    assert b"Smile" not in b"".join(answer.content for answer in phone.said)


def _without_csrf(body: bytes) -> bytes:
    import re

    return re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", body)


def test_r14_both_take_the_same_statements_to_open(phone, token, share, django_assert_num_queries):
    """What can be counted of their time: a link that ended writes what one that never was writes."""
    from sharing.opening import open_link

    _make_it("revoked", share)
    open_link(UNKNOWN, address="192.0.2.1")
    counts = []
    for known in (token, UNKNOWN):
        with django_assert_num_queries(9, exact=False) as asked:
            open_link(known, address="192.0.2.1")
        counts.append([query["sql"].split()[0] for query in asked.captured_queries if _writes(query["sql"])])
    assert counts[0] == counts[1]


def _writes(sql: str) -> bool:
    return sql.split()[0] in {"INSERT", "UPDATE", "DELETE"}


@pytest.mark.parametrize(
    ("ending", "words"), [("expired", "This link ended on"), ("revoked", "has ended this link")]
)
def test_the_right_date_on_an_ended_link_tells_which_and_takes_one_wish(
    phone, token, share, dana, ending, words
):
    _make_it(ending, share)
    phone.open(token)
    told = phone.birthdate()
    assert told.status_code == 410
    assert words in told.json()["detail"]
    assert (told.json()["state"], told.json()["next"]) == (ending, "/s/renew")
    assert phone.post("/s/code").status_code == 410, "it tells, and opens nothing"
    assert phone.post("/s/renew").status_code == 202
    assert phone.post("/s/renew").status_code == 202
    task = DeskTask.objects.get()
    assert (task.kind, task.share_id) == ("renewal", share.pk)
    assert AuditEntry.objects.filter(code="share.renewal-asked").count() == 1
    assert len(phone.sent) == 1


def test_a_renewed_link_is_a_new_one_and_the_old_never_revives(phone, token, share, dana):
    _make_it("expired", share)
    renew(share, expires_at=now() + timedelta(days=7), actor=actor_of(dana))
    run_jobs()
    fresh = token_in(phone.sent[-1])
    assert fresh != token
    assert phone.open(token).status_code == 404
    assert phone.open(fresh).status_code == 200


def test_locked_by_wrong_codes_is_told_after_the_right_date(phone, token, share):
    Share.objects.filter(pk=share.pk).update(locked_at=now(), code_failures=15)
    phone.open(token)
    told = phone.birthdate()
    assert told.status_code == 410
    assert "locked" in told.json()["detail"]


def test_misses_on_an_ended_link_are_counted_too(phone, token, share):
    _make_it("expired", share)
    phone.open(token)
    for _ in range(5):
        answer = phone.birthdate(year=1950)
        assert answer.status_code == 422
        assert "tries_left" not in answer.json()
    assert phone.birthdate().status_code == 422


@pytest.mark.django_db(transaction=True)
def test_of_many_wrong_dates_at_once_five_are_looked_at(sent, monkeypatch, pat, dana):
    from sharing import matching

    make_share(pat, dana)
    run_jobs()
    token = token_in(sent[-1])
    browsers = [Recipient(sent) for _ in range(20)]
    for browser in browsers:
        browser.open(token)
    looked: list[str | None] = []
    same = matching._same
    monkeypatch.setattr(
        matching, "_same", lambda given, expected: looked.append(expected) or same(given, expected)
    )

    def guess(browser: Recipient) -> None:
        try:
            browser.birthdate(year=1950)
        finally:
            connection.close()

    threads = [threading.Thread(target=guess, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(expected is not None for expected in looked) == 5
    share = Share.objects.get()
    assert share.match_misses == 5
    assert share.locked_at is not None
    assert DeskTask.objects.count() == 1
    assert ShareSession.objects.count() == 20
