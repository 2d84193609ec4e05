"""Twilio's signature, and what its reports mean to the desk."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from portal.audit.models import AuditEntry
from portal.records.models import DisclosureEvent
from sharing.gateways import twilio as gateway
from sharing.models import DeskTask, Message
from sharing.read_back import ask_read_back
from sharing.status import describe
from tests.cast import actor_of, signed_in
from tests.sharing.conftest import PHONE, make_share, run_jobs
from tests.sharing.gateways import fake_twilio
from tests.sharing.gateways.fake_twilio import call_back, report


@pytest.fixture
def share(pat, dana, twilio):
    share = make_share(pat, dana)
    run_jobs()
    return share


@pytest.fixture
def text(share, twilio):
    return twilio.texts[0]


def test_the_signature_is_the_one_of_twilios_own_example(settings):
    settings.TWILIO_TOKEN = "12345"
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "From": "+14158675309",
        "To": "+18005551212",
        "Caller": "+14158675309",
        "Digits": "1234",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert gateway.is_signed(url, fields.items(), "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
    assert not gateway.is_signed(url + "3", fields.items(), "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
    settings.TWILIO_TOKEN = ""
    assert not gateway.is_signed(url, fields.items(), "")


def test_accepted_is_not_delivered(share, text):
    assert describe(share.disclosure).state == "sent"
    for status in ("queued", "sending", "sent"):
        assert report(text, status) == 204
        assert Message.objects.get().state == "sent"
    assert report(text, "delivered") == 204
    assert Message.objects.get().state == "delivered"
    assert describe(share.disclosure).state == "delivered"
    assert AuditEntry.objects.filter(code="share.delivered").count() == 1


def test_p9_a_landline_is_told_the_desk_in_words_that_say_what_else_there_is(share, text):
    assert report(text, "undelivered", "30006") == 204
    message = Message.objects.get()
    assert (message.state, message.trouble) == ("undelivered", "landline")
    assert "landline" in message.failure
    assert "e-mail or a letter" in message.failure
    assert DeskTask.objects.get(done_at=None).kind == "send-failed"
    told = describe(share.disclosure)
    assert told.state == "undelivered"
    assert told.steps[-1].words == message.failure


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        ("30003", "unreachable"),
        ("30005", "bad-number"),
        ("30007", "blocked"),
        ("99999", "unknown"),
        ("x", "unknown"),
    ],
)
def test_each_error_of_the_carrier_has_its_reason(share, text, code, trouble):
    report(text, "failed", code)
    assert Message.objects.get().trouble == trouble


def test_a_report_that_comes_twice_or_late_is_written_once(share, text):
    for _ in range(3):
        assert report(text, "delivered") == 204
    assert report(text, "undelivered", "30003") == 204
    assert Message.objects.get().state == "delivered"
    assert DisclosureEvent.objects.filter(kind__in=["delivered", "undelivered"]).count() == 1
    assert not DeskTask.objects.filter(done_at=None).exists()


def test_a_later_part_that_was_delivered_overrules(share, text):
    report(text, "undelivered", "30003")
    report(text, "delivered")
    assert Message.objects.get().state == "delivered"
    assert not DeskTask.objects.filter(done_at=None).exists()


def test_a_report_faster_than_our_own_commit_is_kept(pat, dana, twilio, monkeypatch):
    deliver = gateway.TwilioGateway.deliver

    def with_fast_report(self, outgoing):
        reference = deliver(self, outgoing)
        assert report(twilio.texts[0], "delivered") == 204
        return reference

    monkeypatch.setattr(gateway.TwilioGateway, "deliver", with_fast_report)
    make_share(pat, dana)
    run_jobs()
    message = Message.objects.get()
    assert (message.state, message.vendor_reference) == ("delivered", twilio.texts[0].reference)
    assert message.sent_at is not None


def test_what_isnt_signed_by_twilio_is_refused_and_changes_nothing(share, text):
    path, fields = f"/messages/twilio/{text.message}", {"MessageStatus": "delivered", "MessageSid": "SM1"}
    wrong = [
        {"signature": ""},
        {"signature": "AAAA"},
        {"signature": fake_twilio.signature(f"https://scans.example.com{path}", fields, "another token")},
        {"url": "https://scans.example.com/messages/twilio/reply"},
        {"url": f"http://127.0.0.1{path}"},
    ]
    for change in wrong:
        assert call_back(path, fields, **change) == 403, change
    # A field that was added, or one more value of the same name, isn't covered.
    good = fake_twilio.signature(f"https://scans.example.com{path}", fields)
    assert call_back(path, {**fields, "ErrorCode": "30006"}, signature=good) == 403
    assert Message.objects.get().state == "sent"


def test_an_unknown_message_answers_not_found(share):
    path = "/messages/twilio/7f9c2ba4-e88f-4c1d-9a0e-000000000000"
    assert call_back(path, {"MessageStatus": "delivered"}) == 404


def test_a_code_is_worth_its_ten_minutes_to_the_vendor_and_a_link_hours(share, text, twilio):
    form = parse_qs(text.asked.body.decode())
    assert form["ValidityPeriod"] == ["14400"]
    assert form["From"] == [fake_twilio.SENDER]


def test_a_messaging_service_is_named_as_one(pat, dana, twilio, settings):
    settings.TWILIO_SENDER = "MG" + "1" * 32
    make_share(pat, dana)
    run_jobs()
    assert parse_qs(twilio.texts[0].asked.body.decode())["MessagingServiceSid"] == [settings.TWILIO_SENDER]


def test_p9_a_landline_shows_while_the_patient_still_stands_at_the_desk(pat, dana, twilio):
    check = ask_read_back(pat, number=PHONE, language="en", actor=actor_of(dana))
    run_jobs()
    (text,) = twilio.texts
    assert parse_qs(text.asked.body.decode())["ValidityPeriod"] == ["600"]
    assert report(text, "delivered") == 204
    assert report(text, "undelivered", "30006") == 204
    page = signed_in(dana).get(f"/desk/number-checks/{check.pk}").content.decode()
    assert "landline" in page
