"""Reports of a practice's own gateway: the signature, its age, and every wrong form."""

from __future__ import annotations

import pytest

from sharing.models import Message
from tests.sharing.conftest import make_share, run_jobs
from tests.sharing.gateways.fake_webhook import call_back, report


@pytest.fixture
def text(pat, dana, webhook):
    make_share(pat, dana)
    run_jobs()
    return webhook.texts[0]


def test_its_reports_are_taken(text):
    assert report(text, "delivered") == 204
    assert Message.objects.get().state == "delivered"


@pytest.mark.parametrize("reason", ["landline", "unreachable", "blocked", "bad-number"])
def test_its_reasons_are_ours(text, reason):
    assert report(text, "undelivered", reason) == 204
    assert Message.objects.get().trouble == reason


def test_a_reason_nobody_knows_is_unknown_and_never_shown(text):
    report(text, "failed", "<script>alert(1)</script>")
    message = Message.objects.get()
    assert message.trouble == "unknown"
    assert "script" not in message.failure


def test_an_old_a_forged_or_an_unsigned_report_is_refused(text):
    told = {"id": text.message, "status": "delivered"}
    assert call_back(told, age_s=301) == 403
    assert call_back(told, age_s=-301) == 403
    assert call_back(told, secret="guess") == 403
    assert call_back(told, signature="") == 403
    assert call_back(told, signature="v1=é") == 403
    for timestamp in ("", "now", "-1", "٣", "1" * 40):
        assert call_back(told, timestamp=timestamp) == 403
    assert Message.objects.get().state == "sent"


def test_without_a_secret_nothing_is_believed(text, settings):
    settings.WEBHOOK_SECRET = ""
    assert call_back({"id": text.message, "status": "delivered"}, secret="") == 403


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_refused_in_words(text, body):
    assert call_back(body) == 400


def test_ids_that_are_none_and_ids_that_are_unknown(text):
    assert call_back({"id": "../../etc", "status": "delivered"}) == 400
    assert call_back({"id": "7f9c2ba4-e88f-4c1d-9a0e-000000000000", "status": "delivered"}) == 404
    assert call_back({"status": "undelivered"}) == 400
