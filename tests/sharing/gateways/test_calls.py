"""P13: calls over the vendors' own interfaces: the key, the mailbox, forged and repeated callbacks."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest

from portal.audit.models import AuditEntry
from portal.clock import now
from portal.practice.models import Agreement
from sharing.calls import key_of
from sharing.change_number import change_number
from sharing.models import Challenge, DeskTask, Message, Share
from sharing.reports import undelivered
from sharing.revoke import revoke
from sharing.speak import speak
from sharing.troubles import Trouble
from tests.cast import actor_of
from tests.sharing.conftest import Recipient, make_share, run_jobs
from tests.sharing.gateways import fake_twilio, fake_webhook
from tests.sharing.gateways.conftest import until_local
from tests.sharing.gateways.vendor import Text, Vendor
from tests.sharing.test_codes import _at_once

SPEAKING = ("twilio", "webhook")


@pytest.fixture(params=SPEAKING)
def voice(request: pytest.FixtureRequest, phone: Recipient, set_up: Callable[[str], Vendor]) -> Any:
    """Each vendor that can call, in turn."""
    vendor = set_up(request.param)
    yield vendor
    assert vendor.wrong == [], "the vendor refused what was sent as malformed"


def asks_for_a_call(vendor: Vendor, phone: Recipient, clock: Any) -> None:
    """From the link to the button, and on it."""
    asks_in_vain(vendor, phone, clock)
    assert phone.post("/s/code/call").status_code == 202


def asks_in_vain(vendor: Vendor, phone: Recipient, clock: Any) -> None:
    """Two texts that didn't help."""
    phone.open(vendor.texts[0].body.partition("/s/#")[2].split()[0])
    phone.birthdate()
    for _ in range(2):
        assert phone.post("/s/code").status_code == 202
        run_jobs()
        clock.advance(seconds=61)


@pytest.fixture
def share(pat, dana, voice):
    share = make_share(pat, dana)
    run_jobs()
    return share


@pytest.fixture
def call(share, voice, phone, clock) -> Text:
    """A telephone that rings."""
    asks_for_a_call(voice, phone, clock)
    run_jobs()
    return voice.texts[-1]


def press(vendor: Vendor, call: Text, key: str) -> tuple[int, str]:
    fake: Any = {"twilio": fake_twilio, "webhook": fake_webhook}[vendor.name]  # type: ignore[attr-defined]
    return fake.press(call, key)


def hang_up(vendor: Vendor, call: Text, *, was_taken: bool) -> int:
    if vendor.name == "twilio":  # type: ignore[attr-defined]
        return fake_twilio.end_call(call, "completed" if was_taken else "no-answer")
    return fake_webhook.report(call, "undelivered", "unheard" if was_taken else "unreachable")


def key_in(call: Text) -> str:
    """The key that whoever takes the call is told."""
    return re.search(r"Press (\d) to hear", call.body)[1]  # type: ignore[index]


def code_in(words: str) -> str | None:
    found = re.search(r"code is: ((?:\d, ){5}\d)\.", words)
    return found[1].replace(", ", "") if found else None


def state() -> str:
    return Message.objects.get(kind="call").state


def test_p13_the_key_is_pressed_the_code_is_said_and_opens_the_scan(voice, call, phone):
    assert state() == "sent"
    status, words = press(voice, call, key_in(call))
    assert status == 200
    assert state() == "delivered"
    assert phone.post("/s/code/verify", {"code": code_in(words)}).json() == {"next": "/s/view"}


def test_p13_there_is_no_code_before_a_key_is_pressed(voice, call, phone):
    """What an answering machine records, and what the vendor keeps of the call it was asked for."""
    assert code_in(call.body) is None
    assert Challenge.objects.latest("created_at").code_hmac is None
    assert phone.post("/s/code/verify", {"code": "000000"}).status_code == 422
    assert hang_up(voice, call, was_taken=True) == 204
    assert (state(), Message.objects.get(kind="call").trouble) == ("undelivered", "unheard")
    assert DeskTask.objects.filter(kind="send-failed", done_at=None).exists()
    assert code_in(press(voice, call, key_in(call))[1]) is None, "the call is over"


def test_p13_the_right_key_says_the_code_once(voice, call):
    right = key_in(call)
    assert code_in(press(voice, call, right)[1])
    assert [code_in(press(voice, call, key)[1]) for key in (right, "0", right)] == [None] * 3, (
        "it comes again"
    )
    assert AuditEntry.objects.filter(code="share.delivered").count() == 1
    assert hang_up(voice, call, was_taken=True) == 204
    assert state() == "delivered"


@pytest.mark.parametrize("other", ["next", "#"])
def test_p13_the_first_other_key_ends_the_call_so_trying_them_all_hears_nothing(voice, call, other):
    right = key_in(call)
    status, words = press(voice, call, str(1 + int(right) % 9) if other == "next" else other)
    assert (status, code_in(words)) == (200, None)
    assert "That did not work" in words
    for key in (*"123456789", right):
        assert code_in(press(voice, call, key)[1]) is None
    assert (state(), Message.objects.get(kind="call").trouble) == ("undelivered", "unheard")
    assert Challenge.objects.latest("created_at").code_hmac is None


def test_p13_a_call_nobody_takes_is_told_the_desk_and_the_patient(voice, call, phone):
    assert hang_up(voice, call, was_taken=False) == 204
    assert (state(), Message.objects.get(kind="call").trouble) == ("undelivered", "unreachable")
    assert phone.get("/s/code/news").json()["state"] == "failed"


def test_p13_no_code_is_said_for_a_share_that_was_revoked_while_the_phone_rang(voice, call, share, dana):
    revoke(share, actor=actor_of(dana))
    assert code_in(press(voice, call, key_in(call))[1]) is None


def test_p13_no_code_is_said_to_a_number_that_was_changed_while_the_phone_rang(voice, call, share, dana):
    change_number(share, channel="text", address="+12065550177", actor=actor_of(dana))
    assert code_in(press(voice, call, key_in(call))[1]) is None


def test_p13_no_code_is_said_when_the_ten_minutes_are_over(voice, call, clock):
    clock.advance(minutes=10, seconds=1)
    assert code_in(press(voice, call, key_in(call))[1]) is None


def test_p13_no_code_is_said_for_a_share_that_expired_while_the_phone_rang(voice, call, share):
    Share.objects.filter(pk=share.pk).update(expires_at=now())
    assert code_in(press(voice, call, key_in(call))[1]) is None


def test_p13_the_phone_does_not_ring_for_a_call_that_a_text_has_replaced(voice, share, phone, clock):
    phone.open(voice.texts[0].body.partition("/s/#")[2].split()[0])
    phone.birthdate()
    phone.post("/s/code")
    run_jobs()
    undelivered(Message.objects.get(kind="code").pk, Trouble.LANDLINE, gateway="twilio")
    for path in ("/s/code/call", "/s/code"):
        clock.advance(seconds=61)
        assert phone.post(path).status_code == 202
    before = len(voice.texts)
    run_jobs()
    assert [text.body[6:10] for text in voice.texts[before:]] == [" is "], "the text alone"
    assert state() == "failed"


def test_p13_the_phone_does_not_ring_for_a_share_that_ended_meanwhile(voice, share, phone, clock, dana):
    asks_for_a_call(voice, phone, clock)
    revoke(share, actor=actor_of(dana))
    before = len(voice.texts)
    run_jobs()
    assert len(voice.texts) == before
    assert state() == "failed"


def test_p13_a_call_waits_for_its_agreement_and_goes_no_other_way(voice, share, phone, clock):
    asks_for_a_call(voice, phone, clock)
    ends_on = Agreement.objects.get().ends_on
    Agreement.objects.update(ends_on="2020-01-02")
    before = len(voice.texts)
    run_jobs()
    assert (len(voice.texts), state(), Message.objects.get(kind="call").trouble) == (
        before,
        "held",
        "no-agreement",
    )
    assert "Our calls are slow" in phone.get("/s/code/news").json()["words"]
    Agreement.objects.update(ends_on=ends_on)
    clock.advance(seconds=31)
    run_jobs()
    assert len(voice.texts) == before + 1


def test_p13_a_vendor_that_is_down_holds_the_call_for_ten_minutes_at_most(voice, share, phone, clock):
    asks_for_a_call(voice, phone, clock)
    voice.status = 503
    run_jobs()
    assert state() == "held"
    clock.advance(minutes=11)
    voice.status = 0
    before = len(voice.texts)
    run_jobs()
    assert (len(voice.texts), state()) == (before, "failed")


def test_p13_a_call_does_not_wait_for_the_morning(voice, pat, dana, phone, clock):
    make_share(pat, dana)
    run_jobs()
    clock.advance(seconds=until_local(23).total_seconds())
    asks_for_a_call(voice, phone, clock)
    run_jobs()
    assert "Press" in voice.texts[-1].body


def test_p13_a_number_refused_for_good_is_told(voice, share, phone, clock):
    asks_for_a_call(voice, phone, clock)
    voice.refused[voice.texts[0].to] = "bad-number"
    run_jobs()
    assert (state(), Message.objects.get(kind="call").trouble) == ("failed", "bad-number")
    assert phone.get("/s/code/news").json()["state"] == "failed"


@pytest.mark.django_db(transaction=True)
def test_p13_of_ten_who_press_at_once_one_hears_the_code(voice, call):
    message, key = Message.objects.get(kind="call"), key_in(call)

    def press_it(number: int) -> str | None:
        return code_in(speak(message.pk, key=key, gateway="twilio").words)

    heard = _at_once(10, press_it)
    assert len([code for code in heard if code]) == 1


# --- Twilio --------------------------------------------------------------------------------------------------------


@pytest.fixture
def ringing(pat, dana, phone, twilio, clock) -> Text:
    make_share(pat, dana)
    run_jobs()
    asks_for_a_call(twilio, phone, clock)
    run_jobs()
    return twilio.texts[-1]


def test_p13_twilio_calls_from_the_number_that_can_call_and_records_nothing(ringing):
    form = parse_qs(ringing.asked.body.decode())
    assert form["From"] == [fake_twilio.CALLER]
    assert "Record" not in form
    assert "/Calls.json" in ringing.asked.path


def test_p13_what_isnt_signed_by_twilio_hears_no_code(ringing):
    path = f"/messages/twilio/{ringing.message}/pressed"
    fields = {"CallSid": ringing.reference, "Digits": key_in(ringing)}
    good = fake_twilio.signature(f"https://scans.example.com{path}", {**fields, "Digits": "0"})
    for signature in ("", "AAAA", good, fake_twilio.signature(path, fields, "another token")):
        status, words = fake_twilio.post(path, fields, signature=signature)
        assert (status, code_in(words)) == (403, None)
    assert (
        fake_twilio.post(f"/messages/twilio/{ringing.message}/call", {"CallStatus": "failed"}, signature="")[
            0
        ]
        == 403
    )
    assert state() == "sent"
    assert Challenge.objects.latest("created_at").code_hmac is None


def test_p13_the_id_of_a_text_is_no_call(ringing, twilio):
    texted = twilio.texts[1]
    assert fake_twilio.press(texted, key_of(Message.objects.get(pk=texted.message).pk))[0] == 404


def test_p13_a_practice_whose_name_is_markup_is_spoken_and_not_obeyed(pat, dana, phone, twilio, clock):
    practice = pat.practice
    practice.name = 'A & B <Dial>+1900</Dial> "Dental"'
    practice.save()
    make_share(pat, dana)
    run_jobs()
    asks_for_a_call(twilio, phone, clock)
    run_jobs()
    call = twilio.texts[-1]
    assert practice.name in call.body
    _status, words = fake_twilio.press(call, key_in(call))
    assert practice.name in words


def test_p13_without_a_number_that_can_call_none_is_offered(pat, dana, phone, twilio, clock, settings):
    make_share(pat, dana)
    run_jobs()
    settings.TWILIO_CALLER = ""
    asks_in_vain(twilio, phone, clock)
    assert phone.post("/s/code/call").status_code == 409
    assert "/s/code/call" not in phone.get("/s/code/verify").content.decode()


def test_p13_aws_has_no_voice_so_no_call_is_offered(pat, dana, phone, set_up, clock):
    aws = set_up("aws")
    make_share(pat, dana)
    run_jobs()
    asks_in_vain(aws, phone, clock)
    assert phone.post("/s/code/call").status_code == 409


def test_p13_the_double_refuses_what_twilio_would(ringing, twilio):
    from dataclasses import replace
    from urllib.parse import urlencode

    form = {name: values[0] for name, values in parse_qs(ringing.asked.body.decode()).items()}
    ElementTree.fromstring(form["Twiml"])
    for change in (
        {"From": fake_twilio.SENDER},
        {"To": "555"},
        {"Twiml": "<Say>x</Say>"},
        {"Timeout": "0"},
        {"Color": "red"},
    ):
        asked = replace(ringing.asked, body=urlencode({**form, **change}).encode())
        assert twilio.answer(asked)[0] == 400, change
    twilio.wrong.clear()


# --- a gateway of one's own ----------------------------------------------------------------------------------------


def test_p13_a_gateway_that_is_not_said_to_call_is_asked_for_no_call(
    pat, dana, phone, webhook, clock, settings
):
    settings.WEBHOOK_CALLS = False
    make_share(pat, dana)
    run_jobs()
    asks_in_vain(webhook, phone, clock)
    assert phone.post("/s/code/call").status_code == 409


def test_p13_a_press_that_isnt_signed_hears_no_code(pat, dana, phone, webhook, clock):
    make_share(pat, dana)
    run_jobs()
    asks_for_a_call(webhook, phone, clock)
    run_jobs()
    call = webhook.texts[-1]
    told = {"id": call.message, "pressed": key_in(call)}
    assert fake_webhook.call_back(told, secret="guess") == 403
    assert fake_webhook.call_back(told, age_s=301) == 403
    assert fake_webhook.call_back({"id": "no-id", "pressed": "1"}) == 400
    assert fake_webhook.call_back({"id": webhook.texts[0].message, "pressed": "1"}) == 404
    assert state() == "sent"
    for odd in (None, [key_in(call)], {"a": 1}, "", "é", "\ud800", "1" * 5000):
        assert fake_webhook.call_back({**told, "pressed": odd}) == 200
    assert state() == "undelivered"
