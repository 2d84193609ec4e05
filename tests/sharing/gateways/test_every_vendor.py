"""What holds for every vendor, tried on each one's own interface over real HTTP."""

from __future__ import annotations

import logging

import pytest

from portal.audit.models import AuditEntry
from portal.jobs.models import Job
from portal.practice.models import Agreement
from sharing.gateways import aws
from sharing.models import DeskTask, Message, OptOut
from tests.sharing.conftest import PHONE, make_share, run_jobs
from tests.sharing.gateways import fake_aws, fake_twilio, fake_webhook
from tests.sharing.gateways.vendor import Vendor

SECRETS = (fake_aws.SECRET, fake_twilio.TOKEN, fake_webhook.SECRET)


def test_a_text_reaches_the_vendor_signed_and_whole(pat, dana, vendor):
    make_share(pat, dana)
    run_jobs()
    (text,) = vendor.texts
    message = Message.objects.get()
    assert text.to == PHONE
    assert "https://scans.example.com/s/#" in text.body
    assert text.message == str(message.pk)
    assert (message.state, message.gateway, message.vendor_reference) == ("sent", vendor.name, text.reference)


@pytest.mark.parametrize("status", [500, 503, 429, 401, 403, 302])
def test_f8_a_vendor_that_fails_holds_the_message_until_it_is_back(pat, dana, vendor, clock, status):
    make_share(pat, dana)
    vendor.status = status
    run_jobs()
    message = Message.objects.get()
    assert message.state == "held"
    if vendor.name != "aws":
        assert message.trouble == ("refused" if status in (401, 403, 302) else "down")
    assert DeskTask.objects.get(done_at=None).kind == "held"
    vendor.status = 0
    clock.advance(seconds=16)
    run_jobs()
    assert len(vendor.texts) == 1
    assert Message.objects.get().state == "sent"
    assert not DeskTask.objects.filter(done_at=None).exists()


def test_f8_a_vendor_that_hangs_up_holds_the_message(pat, dana, vendor):
    vendor.silent = True
    make_share(pat, dana)
    run_jobs()
    assert (Message.objects.get().state, Message.objects.get().trouble) == ("held", "down")


def test_f8_nothing_leaves_once_the_agreement_has_ended_and_the_held_leaves_once_it_is_renewed(
    pat, dana, vendor, clock
):
    agreement = Agreement.objects.get()
    Agreement.objects.update(ends_on=agreement.starts_on)
    make_share(pat, dana)
    for _ in range(4):
        run_jobs()
        clock.advance(seconds=601)
    message = Message.objects.get()
    assert (message.state, message.trouble) == ("held", "no-agreement")
    assert "agreement" in message.failure
    assert vendor.texts == []
    assert AuditEntry.objects.filter(code="share.held").count() == 1
    Agreement.objects.update(ends_on=agreement.ends_on)
    run_jobs()
    assert len(vendor.texts) == 1
    assert Message.objects.get().state == "sent"


@pytest.mark.parametrize("trouble", ["landline", "opted-out", "bad-number", "blocked"])
def test_what_the_vendor_refuses_for_good_is_told_the_desk_and_not_tried_again(pat, dana, vendor, trouble):
    if (vendor.name, trouble) == ("aws", "landline"):
        return  # it takes those, and reports them later
    vendor.refused[PHONE] = trouble
    make_share(pat, dana)
    run_jobs()
    message = Message.objects.get()
    assert (message.state, message.trouble) == ("failed", trouble)
    assert Job.objects.get().state == "done"
    assert DeskTask.objects.get(done_at=None).kind == "send-failed"
    assert OptOut.objects.exists() == (trouble == "opted-out")


def test_no_credential_number_link_or_code_is_logged_or_kept_whatever_happens(
    pat, dana, vendor, caplog, clock
):
    caplog.set_level(logging.DEBUG)
    make_share(pat, dana)
    for status in (500, 401, 400, 0):
        vendor.status = status
        run_jobs()
        clock.advance(seconds=601)
    kept = [Message.objects.get().failure, *Job.objects.values_list("failure", flat=True)]
    kept += [bytes(event).decode() for event in AuditEntry.objects.values_list("event", flat=True)]
    said = caplog.text + "".join(kept)
    (text,) = vendor.texts
    token = text.body.partition("/s/#")[2].split()[0]
    for secret in (*SECRETS, PHONE, token, "all too much"):
        assert secret not in said


def test_every_vendor_needs_its_settings(pat, dana, vendor, settings):
    for name in ("TWILIO_TOKEN", "WEBHOOK_SECRET", "AWS_SMS_SENDER"):
        setattr(settings, name, "")
    make_share(pat, dana)
    run_jobs()
    assert Message.objects.get().trouble == "not-set-up"
    assert vendor.texts == []


def test_no_text_leaves_without_tls(pat, dana, vendor, settings):
    settings.TWILIO_URL = settings.WEBHOOK_URL = settings.AWS_SMS_URL = "http://texts.example.com"
    make_share(pat, dana)
    run_jobs()
    assert Message.objects.get().trouble == "not-set-up"


def test_credentials_that_are_wrong_hold_the_message(pat, dana, vendor, settings, monkeypatch):
    settings.TWILIO_TOKEN = settings.WEBHOOK_SECRET = "guessed"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "guessed")
    aws._client.cache_clear()  # it keeps the credentials it was made with
    make_share(pat, dana)
    run_jobs()
    assert (Message.objects.get().state, Message.objects.get().trouble) == ("held", "refused")
    assert vendor.texts == []
    # It was the credentials and nothing else that the vendor minded.
    assert all(why in {"Authenticate", "signature"} for why in vendor.wrong)
    vendor.wrong.clear()
    aws._client.cache_clear()


def test_the_doubles_refuse_what_the_vendors_would(vendor: Vendor):
    for path, headers, body in [
        ("/", {"Content-Type": "application/json"}, b"{}"),
        ("/2010-04-01/Accounts/AC1/Messages.json", {}, b"To=1"),
    ]:
        from tests.sharing.gateways.vendor import Asked

        asked = Asked(path, {"Scanpass-Timestamp": "0", **headers}, body)
        assert vendor.answer(asked)[0] in {400, 401, 403}
    vendor.wrong.clear()
