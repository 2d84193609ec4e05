"""STOP and START (P11), from each side they can come from."""

from __future__ import annotations

import pytest

from portal.audit.models import AuditEntry
from portal.errors import Conflict
from sharing.models import DeskTask, Message, OptOut
from sharing.resend import resend
from tests.cast import actor_of
from tests.sharing.conftest import PHONE, make_share, run_jobs
from tests.sharing.gateways import fake_webhook
from tests.sharing.gateways.fake_twilio import call_back, report


def reply(text: str, **more: str) -> int:
    return call_back("/messages/twilio/reply", {"From": PHONE, "To": "+12025550100", "Body": text, **more})


def test_p11_stop_ends_texts_until_start(pat, dana, twilio):
    share = make_share(pat, dana)
    run_jobs()
    assert reply("Stop") == 200
    with pytest.raises(Conflict, match="replied STOP"):
        resend(share, actor=actor_of(dana))
    with pytest.raises(Conflict, match="Until they text START, use e-mail or a letter") as refused:
        make_share(pat, dana)
    assert refused.value.details["field"] == "address"
    assert Message.objects.count() == 1
    assert len(twilio.texts) == 1
    assert reply("START") == 200
    resend(share, actor=actor_of(dana))
    run_jobs()
    assert len(twilio.texts) == 2
    codes = list(
        AuditEntry.objects.filter(code__startswith="share.opted").order_by("n").values_list("code", flat=True)
    )
    assert codes == ["share.opted-out", "share.opted-in"]


def test_p11_a_link_that_was_under_way_when_stop_came_does_not_leave(pat, dana, twilio):
    make_share(pat, dana)
    reply("STOP")
    run_jobs()
    message = Message.objects.get()
    assert (message.state, message.trouble) == ("failed", "opted-out")
    assert "START" in message.failure
    assert twilio.texts == []


def test_p11_an_error_21610_is_a_stop_that_was_missed(pat, dana, twilio):
    make_share(pat, dana)
    run_jobs()
    assert report(twilio.texts[0], "failed", "21610") == 204
    assert OptOut.objects.count() == 1
    assert DeskTask.objects.get(done_at=None).kind == "send-failed"


def test_no_code_goes_to_a_number_that_said_stop(pat, dana, phone, twilio):
    make_share(pat, dana)
    run_jobs()
    phone.open(twilio.texts[0].body.partition("/s/#")[2].split()[0])
    phone.birthdate()
    reply("STOP")
    phone.post("/s/code")
    run_jobs()
    assert Message.objects.get(kind="code").trouble == "opted-out"
    assert len(twilio.texts) == 1


@pytest.mark.parametrize(
    "word", ["STOP", "stop.", " Stop \n", "UNSUBSCRIBE", "Cancel", "END", "quit!", "ALTO"]
)
def test_the_words_that_stop(pat, dana, twilio, word):
    reply(word)
    assert OptOut.objects.count() == 1


@pytest.mark.parametrize("word", ["", "Please stop by", "thanks", "1986-04-12", "STOPP", "HELP"])
def test_other_words_do_nothing_and_are_not_kept(pat, dana, twilio, word):
    reply(word)
    assert not OptOut.objects.exists()


def test_a_messaging_services_own_verdict_counts(pat, dana, twilio):
    reply("ya no", OptOutType="STOP")
    assert OptOut.objects.count() == 1


def test_saying_it_twice_is_written_once(pat, dana, twilio):
    make_share(pat, dana)
    for _ in range(3):
        reply("STOP")
    assert AuditEntry.objects.filter(code="share.opted-out").count() == 1
    assert OptOut.objects.count() == 1
    assert PHONE.encode() not in bytes(OptOut.objects.get().subject)


def test_an_e_mail_still_goes_to_whoever_stopped_texts(pat, dana, twilio, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    reply("STOP")
    make_share(pat, dana, channel="email", address="maria@mail.example")
    run_jobs()
    assert Message.objects.get().state == "sent"


def test_a_gateway_of_ones_own_passes_stop_on(pat, dana, webhook):
    assert fake_webhook.call_back({"from": PHONE, "text": "STOP"}) == 204
    assert OptOut.objects.count() == 1
