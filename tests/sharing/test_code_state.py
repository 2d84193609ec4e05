"""P13: a code that doesn't arrive is never a dead end."""

from __future__ import annotations

import pytest
from django.utils import translation

from sharing.gateways import Outgoing, Undeliverable
from sharing.gateways.memory import MemoryGateway
from sharing.models import Message
from sharing.reports import delivered, undelivered
from sharing.troubles import Trouble
from tests.sharing.conftest import make_share, run_jobs, token_in


@pytest.fixture
def waiting(phone, token):
    """A recipient who has asked for a code and looks at the page."""
    phone.open(token)
    phone.birthdate()
    phone.ask_code()
    return phone


def news(phone, **headers):
    return phone.get("/s/code/news", headers=headers).json()


def code() -> Message:
    return Message.objects.filter(kind="code").latest("created_at")


def test_p13_the_page_offers_another_code_and_the_practices_number(waiting, clock):
    page = waiting.get("/s/code/verify").content.decode()
    assert 'data-resend="60"' in page
    assert 'href="tel:+15550100199"' in page
    assert 'action="/s/code"' in page
    clock.advance(seconds=61)
    assert 'data-resend="0"' in waiting.get("/s/code/verify").content.decode()
    assert waiting.post("/s/code").status_code == 202


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (Trouble.LANDLINE, "can't get texts"),
        (Trouble.OPTED_OUT, "START"),
        (Trouble.UNREACHABLE, "did not reach you"),
        (Trouble.BLOCKED, "call the dental office"),
    ],
)
def test_p13_a_code_that_never_arrived_is_told_in_words_that_say_what_to_do(
    waiting, monkeypatch, trouble, words
):
    monkeypatch.setattr(MemoryGateway, "speaks", False)  # else it offers to call
    undelivered(code().pk, trouble, gateway="twilio")
    told = news(waiting)
    assert told["state"] == "failed"
    assert words in told["words"]
    # Without scripts the page says it when it is loaded again.
    with translation.override("en"):
        assert words.split("'")[0] in waiting.get("/s/code/verify").content.decode()


def test_p13_a_slow_vendor_is_told_and_nothing_is_said_while_all_is_well(phone, token, monkeypatch):
    phone.open(token)
    phone.birthdate()
    phone.post("/s/code")
    assert news(phone) == {"state": "waiting", "words": "", "may_call": False}

    def down(self, outgoing: Outgoing) -> str:
        raise Undeliverable(Trouble.DOWN)

    with monkeypatch.context() as patch:
        patch.setattr(MemoryGateway, "deliver", down)
        run_jobs()
    assert news(phone)["state"] == "waiting"
    assert "slow" in news(phone)["words"]


def test_p13_news_of_a_code_that_arrived(waiting):
    assert news(waiting) == {"state": "sent", "words": "", "may_call": False}
    delivered(code().pk, gateway="twilio")
    assert news(waiting) == {"state": "delivered", "words": "", "may_call": False}


def test_news_come_in_the_readers_language(waiting, monkeypatch):
    monkeypatch.setattr(MemoryGateway, "speaks", False)
    undelivered(code().pk, Trouble.LANDLINE, gateway="twilio")
    waiting.client.cookies["language"] = "es"
    assert news(waiting)["words"].startswith("Este teléfono no puede")


def test_asking_for_news_sends_counts_and_prolongs_nothing(waiting):
    from sharing.models import Challenge, ShareSession

    before = list(ShareSession.objects.values()), list(Challenge.objects.values())
    for _ in range(5):
        news(waiting)
    assert (list(ShareSession.objects.values()), list(Challenge.objects.values())) == before
    assert len(waiting.sent) == 2


def test_a_dentist_learns_nothing_from_the_news_whether_the_address_was_right_or_wrong(pat, dana, phone):
    make_share(
        pat, dana, recipient_kind="dentist", recipient_name="Dr. Chen", channel="email",
        address="riley@endo.example",
    )  # fmt: skip
    run_jobs()
    told = []
    for address in ("riley@endo.example", "mallory@elsewhere.example"):
        phone.open(token_in(phone.sent[0]))
        phone.post("/s/address", {"address": address})
        assert phone.post("/s/code").status_code in {202, 429}
        run_jobs()
        told.append(news(phone))
    assert told[0] == told[1] == {"state": "unknown", "words": "", "may_call": False}


def test_without_a_session_there_is_no_news(phone):
    assert phone.get("/s/code/news").status_code in {302, 401, 403}
