"""Scenarios of the referring dentist: forwarded links, shared mailboxes, the wrong dentist, a consent taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.audit.reading import read
from portal.clock import now
from portal.practice.models import Practice
from portal.records.dentists import allow_shared_mailboxes, is_npi, is_shared_mailbox, note_dentist
from portal.records.models import Patient, ReferringDentist
from sharing.endings import sweep_endings
from sharing.gateways.memory import Kept
from sharing.models import DeskTask, Share
from sharing.tokens import mint, token_hmac
from tests.cast import actor_of, signed_in
from tests.sharing.conftest import Recipient, make_share, run_jobs, token_in

pytestmark = pytest.mark.django_db
RILEY = "riley@chen.example"
ENTRY = {"clinic": "", "email": "", "mobile": "", "phone": "", "npi": "", "is_shared_mailbox": False}


@pytest.fixture
def client(dana: User) -> Client:
    return signed_in(dana)


def to_dentist(pat: Patient, user: User, **changes: Any) -> Share:
    wanted = {
        "recipient_kind": "dentist",
        "recipient_name": "Riley Chen",
        "channel": "text",
        "purpose": "referral",
    }
    return make_share(pat, user, **{**wanted, **changes})


# --- D2: forwarded to a colleague ------------------------------------------------------------------------------------


@pytest.fixture
def forwarded(pat: Patient, dana: User, sent: list[Kept]) -> Recipient:
    """A colleague who was sent Riley's link and has opened it."""
    to_dentist(pat, dana)
    run_jobs()
    colleague = Recipient(sent)
    colleague.open(token_in(sent[-1]))
    return colleague


def test_d2_a_colleague_asks_and_gets_a_share_of_their_own(
    forwarded: Recipient, client: Client, pat: Patient, sent: list[Kept]
) -> None:
    assert 'href="/s/colleague"' in forwarded.get("/s/address").content.decode()
    before = len(sent)
    asked = forwarded.submit("/s/colleague", name="Kim Park", role="Dentist", address="(206) 555-0177")
    assert (asked.status_code, asked["Location"]) == (303, "/s/colleague")
    assert "knows that somebody asks" in forwarded.get("/s/colleague").content.decode()
    forwarded.submit("/s/colleague", name="Again", role="Dentist", address="(206) 555-0178")
    run_jobs()
    assert len(sent) == before, "nothing is sent because somebody asks"
    (task,) = DeskTask.objects.filter(kind="add-person")
    shown = client.get("/desk/tasks").content.decode()
    assert "Kim Park, Dentist" in shown
    form_at = f"/desk/patients/{pat.pk}/share?add={task.share_id}"
    assert form_at in shown
    form = client.get(form_at).context["form"]
    filled = {name: form[name].value() for name in form.fields if name != "consent"}
    assert (filled["recipient_kind"], filled["recipient_name"]) == ("dentist", "Kim Park")
    assert client.post(form_at, {**filled, "consent": "on"}).status_code == 302
    run_jobs()
    assert sent[-1].to == "+12065550177"
    made = Share.objects.latest("created_at")
    assert made.disclosure.recipient_name == "Kim Park"
    assert made.pk != task.share_id
    assert not DeskTask.objects.filter(done_at=None).exists()


def test_d2_the_desk_may_say_no_and_mallory_says_nothing(
    forwarded: Recipient, client: Client, mallory: User
) -> None:
    forwarded.post("/s/colleague", {"name": "Kim", "role": "Dentist", "address": "kim@chen.example"})
    share = Share.objects.get()
    address = f"/desk/shares/{share.pk}/addition/decline"
    assert signed_in(mallory).post(address).status_code == 404
    assert client.post(address).status_code == 302
    assert client.post(address).status_code == 409
    assert AuditEntry.objects.filter(code="share.addition-declined").count() == 1


@pytest.mark.parametrize("missing", ["name", "role", "address"])
def test_d2_what_is_missing_is_said_and_asks_nobody(forwarded: Recipient, missing: str) -> None:
    given = {"name": "Kim", "role": "Dentist", "address": "kim@chen.example", missing: " "}
    answer = forwarded.post("/s/colleague", given)
    assert answer.status_code == 400
    assert not DeskTask.objects.exists()


def test_d2_a_patients_link_knows_no_colleagues(share: Share, token: str, phone: Recipient) -> None:
    phone.open(token)
    given = {"name": "Kim", "role": "Dentist", "address": "kim@chen.example"}
    assert phone.post("/s/colleague", given).status_code == 409
    assert phone.get("/s/colleague")["Location"] == "/s/birthdate"


# --- D3: a mailbox that several people read -------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["office@chen.example", "Front-Desk@chen.example", "all@chen.example"])
def test_d3_who_opens_a_shared_mailboxs_link_says_who_they_are(
    pat: Patient, dana: User, sent: list[Kept], typed: str
) -> None:
    entry = {**ENTRY, "name": "Chen Dental", "email": "all@chen.example", "is_shared_mailbox": True}
    note_dentist(None, actor=actor_of(dana), **entry)
    to_dentist(pat, dana)
    run_jobs()
    browser = Recipient(sent)
    browser.open(token_in(sent[-1]))
    asked = browser.submit("/s/address", address=typed)
    assert asked.status_code == 400
    assert 'name="role"' in asked.content.decode()
    assert Share.objects.get().match_misses == 0, "asking who it is is no try"
    given = {"address": typed, "name": "Kim Park", "role": "Office manager"}
    assert browser.post("/s/address", given).json() == {"next": "code"}


def test_d3_what_they_said_stands_in_the_record(pat: Patient, dana: User, sent: list[Kept]) -> None:
    share = to_dentist(pat, dana, channel="email", address="office@chen.example")
    browser = Recipient(sent)
    token = mint()  # the link goes by e-mail, which nobody reads here
    Share.objects.filter(pk=share.pk).update(token_hmac=token_hmac(token))
    browser.open(token)
    given = {"address": "office@chen.example", "name": "Kim Park", "role": "Office manager"}
    assert browser.post("/s/address", given).status_code == 200
    entry = read(AuditEntry.objects.get(code="share.matched"))
    assert entry.private["self_declared"] == "Kim Park, Office manager"
    shown = signed_in(dana).get(f"/desk/shares/{share.pk}/evidence").content.decode()
    assert "self declared: Kim Park, Office manager" in shown


def test_d3_the_practice_may_forbid_them(smile: Practice, pat: Patient, dana: User, omar: User) -> None:
    owner, desk = signed_in(omar), signed_in(dana)
    assert desk.post("/desk/dentists/mailboxes", {"allowed": "no"}).status_code == 403
    assert owner.post("/desk/dentists/mailboxes", {"allowed": "no"}).status_code == 302
    smile.refresh_from_db()
    assert not smile.allows_shared_mailboxes
    make_share(pat, dana)
    form = desk.get(f"/desk/patients/{pat.pk}/share").context["form"]
    filled = {name: form[name].value() for name in form.fields}
    filled |= {
        "recipient_kind": "dentist", "recipient_name": "Chen", "channel": "email",
        "address": "office@chen.example", "consent": "on",
    }  # fmt: skip
    refused = desk.post(f"/desk/patients/{pat.pk}/share", filled)
    assert (refused.status_code, "your practice sends no links there" in refused.content.decode()) == (
        422,
        True,
    )
    assert Share.objects.count() == 1
    allow_shared_mailboxes(smile, allowed=True, actor=actor_of(omar))
    assert desk.post(f"/desk/patients/{pat.pk}/share", filled).status_code == 302


def test_d3_names_of_shared_mailboxes(smile: Practice) -> None:
    assert is_shared_mailbox(smile.pk, "front-desk@x.example")
    assert not is_shared_mailbox(smile.pk, "riley@office.example")
    assert not is_shared_mailbox(smile.pk, "+12065550177")


def test_d3_no_entry_of_a_long_directory_is_forgotten(smile: Practice) -> None:
    first = [{"name": "Mail room", "email": "all@endo.example", "is_shared_mailbox": True}]
    others = [{"name": f"Dentist {number}", "email": f"d{number}@endo.example"} for number in range(520)]
    moments = (now() + timedelta(seconds=number) for number in range(521))
    ReferringDentist.objects.bulk_create(
        ReferringDentist(practice=smile, created_at=moment, **facts)
        for facts, moment in zip(first + others, moments, strict=True)
    )
    assert is_shared_mailbox(smile.pk, "all@endo.example")


# --- D6: the wrong dentist -------------------------------------------------------------------------------------------


def test_d6_the_desk_sees_whom_it_picked_and_what_left(
    client: Client, pat: Patient, dana: User, sent: list[Kept]
) -> None:
    given = {
        **ENTRY, "name": "Riley Chen", "clinic": "Chen Endodontics", "mobile": "206-555-0142",
        "phone": "206-555-0100", "npi": "1234567893",
    }  # fmt: skip
    assert client.post("/desk/dentists/", {**given, "is_shared_mailbox": ""}).status_code == 302
    share = to_dentist(pat, dana, address="+12065550142")
    page = client.get(f"/desk/patients/{pat.pk}/share").content.decode()
    assert '"npi": "1234567893"' in page
    page = client.get(f"/desk/shares/{share.pk}/").content.decode()
    for word in ("Chen Endodontics", "1234567893", "206-555-0100"):
        assert word in page
    assert client.post(f"/desk/shares/{share.pk}/wrong-number").status_code == 302
    assert "No image byte was released" in client.get(f"/desk/shares/{share.pk}/evidence").content.decode()


def test_d6_an_entry_is_corrected_and_belongs_to_its_practice(
    client: Client, dana: User, mallory: User
) -> None:
    entry = note_dentist(None, actor=actor_of(dana), **{**ENTRY, "name": "Riley", "email": RILEY})
    at = f"/desk/dentists/{entry.pk}/"
    assert signed_in(mallory).get(at).status_code == 404
    assert "Riley" not in signed_in(mallory).get("/desk/dentists/").content.decode()
    refused = client.post(at, {"name": "Riley Chen", "email": RILEY, "npi": "1234567890"})
    assert (refused.status_code, "ten digits" in refused.content.decode()) == (422, True)
    assert client.post(at, {"name": "Riley Chen", "email": RILEY, "npi": "1234567893"}).status_code == 302
    assert ReferringDentist.objects.get().name == "Riley Chen"
    codes = AuditEntry.objects.filter(code__startswith="directory.").values_list("code", flat=True)
    assert sorted(codes) == ["directory.added", "directory.changed"]


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("1234567893", True),
        ("1234567890", False),
        ("123456789", False),
        ("１２３４５６７８９３", False),
        ("", False),
    ],
)
def test_d6_an_npi_has_its_check_digit(number: str, answer: bool) -> None:
    assert is_npi(number) is answer


# --- D11: consent taken back -----------------------------------------------------------------------------------------


def test_d11_consent_withdrawn_ends_the_share_and_the_record_keeps_the_past(
    client: Client, pat: Patient, dana: User, sent: list[Kept]
) -> None:
    share = to_dentist(pat, dana)
    run_jobs()
    riley = Recipient(sent)
    riley.open(token_in(sent[0]))
    riley.post("/s/address", {"address": sent[0].to})
    assert riley.post("/s/code/verify", {"code": riley.ask_code()}).status_code == 200
    assert client.post(f"/desk/shares/{share.pk}/revoke").status_code == 302
    told = riley.get("/s/view")
    assert (told.status_code, "This link has ended" in told.content.decode()) == (410, True)
    assert riley.get("/s/studies.json").status_code == 410
    sweep_endings()
    kinds = set(share.disclosure.events.values_list("kind", flat=True))
    assert {"sent", "opened", "verified", "revoked"} <= kinds
    assert "Riley Chen" in client.get(f"/desk/patients/{pat.pk}/timeline").content.decode()
