"""P13: the code by telephone. Offered after two texts, held to the same limits, and never said to nobody."""

from __future__ import annotations

import re

import pytest
from django.utils import translation

from portal.audit.models import AuditEntry
from portal.audit.reading import read
from portal.demo.outbox import messages
from portal.records.models import DisclosureEvent
from sharing import verify
from sharing.calls import key_of, may_call
from sharing.gateways.memory import MemoryGateway
from sharing.message_rows import message_rows
from sharing.models import Message, ShareSession
from sharing.opted_out import opt_out
from sharing.reports import delivered, undelivered
from sharing.troubles import Trouble
from tests.cast import make_patient
from tests.sharing.conftest import PHONE, Recipient, heard, make_share, run_jobs, token_in
from tests.sharing.test_codes import _at_once

BUTTON = 'action="/s/code/call"'


@pytest.fixture
def waits(phone, token):
    """A recipient whose birth date was right and who has asked for nothing yet."""
    phone.open(token)
    phone.birthdate()
    return phone


@pytest.fixture
def in_vain(waits, clock):
    """The same, after two texts that didn't help; a call may be asked for now."""
    return after_two_texts(waits, clock)


def after_two_texts(recipient, clock):
    for _ in range(2):
        recipient.ask_code()
        clock.advance(seconds=61)
    return recipient


def arrived(sent):
    """Who follows the newest link and knows the birth date."""
    recipient = Recipient(sent)
    recipient.open(token_in(sent[-1]))
    recipient.birthdate()
    return recipient


def page(phone, *, language: str = "en") -> str:
    phone.client.cookies["language"] = language
    return phone.get("/s/code/verify").content.decode()


def shown(page: str) -> bool:
    form = re.search(r"<form[^>]*data-call[^>]*>", page)
    return form is not None and "hidden" not in form[0]


# --- offered, and by the server ------------------------------------------------------------------------------------


def test_p13_a_call_is_offered_after_two_texts_and_not_before(waits, clock):
    for texts in (1, 2):
        assert waits.post("/s/code/call").status_code == 409
        waits.ask_code()
        assert shown(page(waits)) == (texts == 2)
        if texts == 1:
            clock.advance(seconds=61)
            assert waits.post("/s/code/call").status_code == 409, "the server decides, whatever is posted"
    assert waits.post("/s/code/call").status_code == 429, "a minute after the text, as for a text"
    clock.advance(seconds=61)
    assert waits.post("/s/code/call").json() == {"next": "verify", "resend_after_s": 60}
    assert [kept.kind for kept in waits.sent] == ["link", "code", "code"]
    run_jobs()
    assert waits.sent[-1].kind == "call"


@pytest.mark.parametrize(
    ("trouble", "is_offered"),
    [
        ("landline", True),
        ("blocked", True),
        ("unreachable", True),
        ("opted-out", False),
        ("bad-number", False),
    ],
)
def test_p13_p9_a_phone_that_gets_no_texts_is_offered_the_call_at_once(waits, clock, trouble, is_offered):
    waits.client.cookies["language"] = "en"
    waits.ask_code()
    assert waits.get("/s/code/news").json()["may_call"] is False
    undelivered(Message.objects.get(kind="code").pk, Trouble(trouble), gateway="twilio")
    told = waits.get("/s/code/news").json()
    assert told["may_call"] is is_offered
    assert ("We can call you" in told["words"]) is is_offered
    assert shown(page(waits)) is is_offered
    clock.advance(seconds=61)
    assert waits.post("/s/code/call").status_code == (202 if is_offered else 409)


def test_p13_the_code_that_was_heard_opens_the_scan_and_the_texted_one_is_over(waits, clock):
    waits.ask_code()
    clock.advance(seconds=61)
    texted = waits.ask_code()
    clock.advance(seconds=61)
    waits.post("/s/code/call")
    run_jobs()
    code = heard(waits.sent[-1])
    assert waits.post("/s/code/verify", {"code": texted}).status_code == 422 or texted == code
    assert waits.post("/s/code/verify", {"code": code}).json() == {"next": "/s/view"}


def test_p13_the_voice_speaks_the_recipients_language_and_names_nobody(pat, dana, sent, clock):
    make_share(pat, dana, language="es")
    run_jobs()
    maria = after_two_texts(arrived(sent), clock)
    maria.post("/s/code/call")
    run_jobs()
    said = sent[-1].body
    assert said.startswith(f"Esta es una llamada de {pat.practice.name}. Usted pidió un código. Oprima ")
    assert "No se lo diga a nadie" in said
    assert heard(sent[-1])
    for name in (pat.given_name, pat.family_name, PHONE, "/s/"):
        assert name not in said


def test_p13_the_demos_outbox_shows_all_that_the_voice_says(in_vain, settings, tmp_path):
    settings.GATEWAY, settings.STATE_DIR = "outbox", tmp_path
    in_vain.post("/s/code/call")
    run_jobs()
    (call,) = messages(tmp_path)
    assert call.kind == "call"
    assert "Press " in call.lines[0]
    assert in_vain.post("/s/code/verify", {"code": heard(call)}).status_code == 200


def test_p13_the_page_says_what_to_do_in_both_languages(in_vain):
    assert "Call me with the code" in page(in_vain)
    assert "Pedir una llamada" in page(in_vain, language="es")
    assert in_vain.submit("/s/code/call").headers["Location"] == "/s/code/verify"
    calling = page(in_vain)
    assert "Answer your phone" in calling
    assert "number ending 23" in calling
    assert "We are calling you now" in calling
    assert "Conteste el teléfono" in page(in_vain, language="es")


def test_p13_what_became_of_the_call_is_told(in_vain):
    in_vain.client.cookies["language"] = "en"
    in_vain.post("/s/code/call")
    run_jobs()
    call = Message.objects.get(kind="call")
    undelivered(call.pk, Trouble.UNHEARD, gateway="twilio")
    told = in_vain.get("/s/code/news").json()
    assert (told["state"], "no one pressed the key" in told["words"]) == ("failed", True)
    delivered(call.pk, gateway="twilio")
    assert in_vain.get("/s/code/news").json()["state"] == "delivered"
    Message.objects.filter(pk=call.pk).update(state="held")
    assert "Our calls are slow" in in_vain.get("/s/code/news").json()["words"]


# --- to whom no call is offered ------------------------------------------------------------------------------------


def test_p13_no_call_after_stop(in_vain):
    opt_out(PHONE)
    assert BUTTON not in page(in_vain)
    assert in_vain.post("/s/code/call").status_code == 409


def test_p13_no_call_where_the_gateway_has_no_voice(in_vain, monkeypatch):
    monkeypatch.setattr(MemoryGateway, "speaks", False)
    assert BUTTON not in page(in_vain)
    assert in_vain.post("/s/code/call").status_code == 409


def test_p13_no_call_to_a_mailbox(pat, dana, sent, clock):
    make_share(pat, dana, channel="email", address="maria@example.com")
    run_jobs()
    maria = Recipient(sent)
    maria.open(re.search(r"/s/#(\w+)", sent[-1].body)[1])
    maria.birthdate()
    for _ in range(2):
        assert maria.post("/s/code").status_code == 202
        clock.advance(seconds=61)
    assert BUTTON not in page(maria)
    assert maria.post("/s/code/call").status_code == 409


def test_p13_a_dentist_and_whoever_guesses_at_one_get_the_same_answers(pat, dana, sent, clock):
    make_share(pat, dana, recipient_kind="dentist", recipient_name="Dr. Chen", purpose="referral")
    run_jobs()
    answers = []
    for address in (PHONE, "+12065550199"):
        someone = Recipient(sent)
        someone.open(token_in(sent[0]))
        assert someone.post("/s/address", {"address": address}).status_code == 200
        said = []
        for _ in range(2):
            said.append(someone.post("/s/code").status_code)
            clock.advance(seconds=61)
        told = someone.post("/s/code/call")
        answers.append((said, told.status_code, told.json()["detail"], BUTTON in page(someone)))
        clock.advance(minutes=30)
    assert answers[0] == answers[1]
    assert answers[0][0] == [202, 202]
    assert answers[0][1::2] == (409, False)


def test_p13_strangers_are_answered_as_if_they_asked_for_a_text(phone, token, sent):
    nobody = Recipient(sent)
    assert nobody.post("/s/code/call").status_code == nobody.post("/s/code").status_code == 401
    opened = Recipient(sent)
    opened.open(token)
    assert opened.post("/s/code/call").status_code == opened.post("/s/code").status_code == 403
    unknown = Recipient(sent)
    unknown.open("2" * 22)
    assert unknown.post("/s/code/call").status_code == unknown.post("/s/code").status_code == 403
    for method in ("get", "head"):
        assert getattr(opened.client, method)("/s/code/call").status_code == 302
    assert [kept.kind for kept in sent] == ["link"]


def test_p13_mallory_with_a_link_of_her_own_rings_no_phone_but_her_own(pat, dana, sent, clock):
    """Her cookie says which share is meant, whatever else she sends."""
    theirs = make_share(pat, dana)
    make_share(make_patient(pat.practice, "Mallory", "Moss"), dana, address="+12065550177")
    run_jobs()
    mallory = Recipient(sent)
    mallory.open(token_in(next(kept for kept in sent if kept.to == "+12065550177")))
    assert mallory.birthdate().status_code == 200
    for _ in range(2):
        assert mallory.post("/s/code").status_code == 202
        clock.advance(seconds=61)
    assert mallory.post("/s/code/call", {"to": PHONE, "share": str(theirs.pk)}).status_code == 202
    run_jobs()
    assert [kept.to for kept in sent if kept.kind == "call"] == ["+12065550177"]


# --- the same limits -----------------------------------------------------------------------------------------------


def test_p13_a_call_is_the_third_code_of_the_quarter_hour_and_there_is_no_fourth(in_vain, clock):
    assert in_vain.post("/s/code/call").status_code == 202
    clock.advance(seconds=61)
    for path in ("/s/code/call", "/s/code"):
        refused = in_vain.post(path)
        assert refused.status_code == 429
        assert refused.json()["retry_after_s"] > 600


def test_p13_three_calls_a_day_and_then_texts_still_go(pat, dana, sent, clock):
    answers = []
    for _ in range(4):
        make_share(pat, dana)
        run_jobs()
        maria = arrived(sent)
        maria.ask_code()
        undelivered(
            Message.objects.filter(kind="code").latest("created_at").pk, Trouble.LANDLINE, gateway="x"
        )
        clock.advance(seconds=61)
        answers.append(maria.post("/s/code/call").status_code)
        run_jobs()
    assert answers == [202, 202, 202, 429]
    assert maria.post("/s/code").status_code == 202, "the refused call cost nothing"


@pytest.mark.django_db(transaction=True)
def test_p13_thirty_presses_at_once_make_one_call(pat, dana, sent, clock):
    make_share(pat, dana)
    run_jobs()
    after_two_texts(arrived(sent), clock)
    session = ShareSession.objects.select_related("share__disclosure").get(ended_at=None)

    def ask(number: int) -> str:
        try:
            verify.request_code(session, address="127.0.0.1", by_call=number % 3 != 0)
        except Exception as error:
            return type(error).__name__
        return "asked"

    answers = _at_once(30, ask)
    assert sorted(set(answers)) == ["LimitReached", "asked"]
    assert answers.count("asked") == 1
    run_jobs()
    assert len([kept for kept in sent if kept.kind != "link"]) == 3


def test_p13_a_third_code_that_was_heard_and_not_typed_in_pauses_the_share(in_vain, clock, share):
    from sharing.endings import sweep_endings

    in_vain.post("/s/code/call")
    run_jobs()
    delivered(Message.objects.get(kind="call").pk, gateway="twilio")
    clock.advance(minutes=10, seconds=1)
    sweep_endings()
    share.refresh_from_db()
    assert share.locked_at is not None


# --- on record -----------------------------------------------------------------------------------------------------


def test_p13_asking_calling_and_hearing_are_in_the_trail(in_vain, share):
    in_vain.post("/s/code/call")
    run_jobs()
    call = Message.objects.get(kind="call")
    delivered(call.pk, gateway="twilio")
    asked = read(AuditEntry.objects.filter(code="share.code-requested").latest("n"))
    assert asked.facts["kind"] == "call"
    sent = read(AuditEntry.objects.filter(code="share.code-sent").latest("n"))
    assert sent.facts["message"] == str(call.pk)
    told = read(AuditEntry.objects.filter(code="share.delivered").latest("n"))
    assert (told.facts["kind"], told.facts["message"]) == ("call", str(call.pk))
    # The patient's record tells of links; a code is part of the way in.
    assert set(DisclosureEvent.objects.values_list("kind", flat=True)) == {
        "queued",
        "sent",
        "visited",
        "opened",
    }


def test_p13_the_desk_sees_the_call_while_it_matters(in_vain, share, clock):
    from portal.clock import now

    def rows() -> list[tuple[str, str]]:
        return [(row.what, row.words) for row in message_rows(share, now())]

    in_vain.post("/s/code/call")
    run_jobs()
    assert ("Call with a code", "The telephone was rung; nobody has pressed the key yet.") in rows()
    delivered(Message.objects.get(kind="call").pk, gateway="twilio")
    assert ("Call with a code", "Somebody pressed the key and heard the code.") in rows()
    clock.advance(minutes=31)
    assert not [what for what, _ in rows() if what == "Call with a code"]


def test_p13_each_call_names_a_key_of_its_own_and_nobody_else_can_tell_it(in_vain):
    import uuid

    keys = [key_of(uuid.uuid4()) for _ in range(200)]
    assert set(keys) == set("123456789")


def test_p13_may_call_asks_the_database_little(in_vain, django_assert_max_num_queries):
    session = ShareSession.objects.select_related("share__disclosure").get(ended_at=None)
    with django_assert_max_num_queries(3), translation.override("en"):
        assert may_call(session)
