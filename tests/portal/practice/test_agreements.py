"""Business associates and their agreements: who may run, who is warned, what is written down (R18, R19, R20)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from portal.accounts.models import Role, User
from portal.audit.models import AuditEntry
from portal.clock import now
from portal.errors import AccessDenied, Conflict
from portal.practice import associates
from portal.practice.agreement_warnings import warn
from portal.practice.agreements import has_agreement, require_agreement, standing_of
from portal.practice.models import Agreement, BusinessAssociate, Practice
from portal.sealed.fields import Ciphertext
from tests.cast import actor_of, make_agreement, make_staff, signed_in
from tests.conftest import MovableClock

pytestmark = pytest.mark.django_db

OF_DAYS = ("lies in the future", "ends before it begins", "more than 10 years")
PDF = b"%PDF-1.7\nsigned by both in blue ink\n%%EOF"


@pytest.fixture
def vendor(smile: Practice) -> BusinessAssociate:
    return BusinessAssociate.objects.create(practice=smile, name="Texts Inc", adapter="twilio")


def today() -> date:
    return now().date()


def signed(vendor: BusinessAssociate, user: User, *, days: int = 365, **changes: Any) -> Agreement:
    dates = {"signed_on": today(), "starts_on": today(), "ends_on": today() + timedelta(days=days - 1)}
    return associates.add_agreement(vendor, **{**dates, "document": PDF, **changes}, actor=actor_of(user))


def filled(**changes: object) -> dict[str, object]:
    given = {"signed_on": today(), "starts_on": today(), "ends_on": today() + timedelta(days=364)}
    return {**given, "document": SimpleUploadedFile("baa.pdf", PDF, "application/pdf"), **changes}


# --- R18, R19: nothing runs without one ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "signed_days_ago", "runs"),
    [(0, 0, 0, True), (-10, 10, 10, True), (-10, -1, 20, False), (1, 10, 0, False)],
    ids=["only today", "in the midst", "ended yesterday", "begins tomorrow"],
)
def test_r19_adapter_runs_only_on_the_days_of_a_signed_agreement(
    vendor: BusinessAssociate, first: int, last: int, signed_days_ago: int, runs: bool
) -> None:
    day = today()
    make_agreement(
        vendor,
        signed_on=day - timedelta(days=signed_days_ago),
        starts_on=day + timedelta(days=first),
        ends_on=day + timedelta(days=last),
    )
    assert has_agreement(vendor.practice_id, "twilio") is runs
    assert standing_of(vendor).is_in_force is runs


def test_r18_agreement_of_one_vendor_or_practice_opens_no_other(
    vendor: BusinessAssociate, olga: User, bright: Practice
) -> None:
    signed(vendor, olga)
    require_agreement(vendor.practice_id, "twilio")
    for practice, adapter in [(vendor.practice_id, "aws"), (bright.pk, "twilio")]:
        with pytest.raises(AccessDenied, match="no business associate agreement"):
            require_agreement(practice, adapter)


def test_r19_nothing_leaves_after_the_last_day_or_an_early_end(
    vendor: BusinessAssociate, olga: User, clock: MovableClock
) -> None:
    signed(vendor, olga, days=30)
    later = signed(vendor, olga, days=40)
    associates.end_agreement(later, actor=actor_of(olga))
    assert has_agreement(vendor.practice_id, "twilio")
    clock.advance(days=30)
    assert not has_agreement(vendor.practice_id, "twilio")
    with pytest.raises(Conflict):
        associates.end_agreement(later, actor=actor_of(olga))


def test_r19_warnings_at_60_30_and_7_days_are_written_once_each(
    vendor: BusinessAssociate, olga: User, clock: MovableClock
) -> None:
    signed(vendor, olga, days=100)
    written = []
    for _ in range(102):
        warn()
        warn()
        clock.advance(days=1)
    for entry in AuditEntry.objects.filter(code__startswith="agreement.e").order_by("n"):
        written.append((entry.code, entry.event and b'"days":' in bytes(entry.event)))
    assert [code for code, _ in written] == ["agreement.ends-soon"] * 3 + ["agreement.ended"]
    assert standing_of(vendor).state == "ended"


def test_renewed_agreement_warns_of_nothing(vendor: BusinessAssociate, olga: User) -> None:
    signed(vendor, olga, days=20)
    signed(vendor, olga, days=400)
    assert warn() == 0
    assert standing_of(vendor).state == "in-force"


@pytest.mark.parametrize(
    "forgery",
    [
        {"ends_on": date(2099, 1, 1)},
        {"ends_on": date(2099, 1, 1), "terminated_on": None},
        {"terms": Ciphertext(b"\0\1, written by nobody who has the key")},
        {"terms": None},
    ],
    ids=["a later last day", "its end undone", "terms of no key", "no terms"],
)
def test_r19_forged_days_open_nothing_and_are_told_once(
    vendor: BusinessAssociate, olga: User, clock: MovableClock, forgery: dict[str, Any]
) -> None:
    agreement = signed(vendor, olga, days=30)
    if "terminated_on" in forgery:
        associates.end_agreement(agreement, actor=actor_of(olga))
        clock.advance(days=1)
    Agreement.objects.filter(pk=agreement.pk).update(**forgery)
    with pytest.raises(AccessDenied, match="no business associate agreement"):
        require_agreement(vendor.practice_id, "twilio")
    assert standing_of(vendor).state == "changed"
    assert warn() + warn() == 1
    entry = AuditEntry.objects.get(code="agreement.forged")
    assert entry.outcome == "refused"
    page = signed_in(olga).get("/desk/agreements/").content.decode()
    assert "Changed outside Scanpass" in page


def test_r19_days_moved_with_the_row_to_another_vendor_open_nothing(
    vendor: BusinessAssociate, olga: User
) -> None:
    agreement = signed(vendor, olga)
    other = BusinessAssociate.objects.create(practice=vendor.practice, name="Post Ltd", adapter="email")
    Agreement.objects.filter(pk=agreement.pk).update(associate=other)
    assert not has_agreement(vendor.practice_id, "email")
    Agreement.objects.filter(pk=agreement.pk).update(associate=vendor)
    assert has_agreement(vendor.practice_id, "twilio")
    BusinessAssociate.objects.filter(pk=vendor.pk).update(adapter="aws")
    assert not has_agreement(vendor.practice_id, "aws")


# --- the pages -------------------------------------------------------------------------------------------------------


def test_r20_the_four_questions_are_asked_kept_and_shown(olga: User, smile: Practice) -> None:
    client = signed_in(olga)
    answers = {
        "name": "Texts Inc",
        "adapter": "twilio",
        "contact": "Ann Smith, 555-010-0177",
        "stored_where": "Oregon, USA",
        "encryption": "TLS 1.2 on the way, AES-256 where it lies",
        "access_controls": "Two persons, with hardware keys",
    }
    made = client.post("/desk/agreements/new", answers)
    assert made.status_code == 302
    page = client.get(made["Location"]).content.decode()
    for said in answers.values():
        assert said in page or said == "twilio"
    assert "Nothing was signed yet" in page
    with connection.cursor() as cursor:
        cursor.execute("SELECT contact FROM practice_businessassociate")
        assert b"Ann Smith" not in bytes(cursor.fetchone()[0])
    assert client.post("/desk/agreements/new", answers).status_code == 422, "one vendor an adapter"
    changed = client.post(made["Location"], {**answers, "stored_where": "Ohio"})
    assert changed.status_code == 302
    assert AuditEntry.objects.filter(code="associate.changed").count() == 1


def test_signed_document_is_sealed_and_comes_back_whole(vendor: BusinessAssociate, olga: User) -> None:
    client = signed_in(olga)
    where = f"/desk/agreements/{vendor.pk}/"
    assert client.post(f"{where}agreements", filled()).status_code == 302
    agreement = vendor.agreements.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT document FROM practice_agreement")
        assert b"blue ink" not in bytes(cursor.fetchone()[0])
    answer = client.get(f"{where}agreements/{agreement.pk}/document")
    assert answer.content == PDF
    assert answer["Content-Disposition"] == 'attachment; filename="agreement.pdf"'
    assert AuditEntry.objects.filter(code__in=["agreement.added", "agreement.read"]).count() == 2
    assert client.post(f"{where}agreements/{agreement.pk}/end").status_code == 302
    assert not has_agreement(vendor.practice_id, "twilio")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"signed_on": "2999-01-01"}, "lies in the future"),
        ({"ends_on": "2001-01-01"}, "ends before it begins"),
        ({"ends_on": "2999-01-01"}, "more than 10 years"),
        ({"starts_on": "soon"}, "This is not a date"),
        ({"document": SimpleUploadedFile("a.pdf", b"MZ, a program")}, "not a PDF"),
        ({"document": SimpleUploadedFile("a.pdf", PDF + bytes(2 << 20))}, "larger than 2 MB"),
        ({"document": ""}, "Choose the signed document"),
    ],
    ids=["forged date", "backwards", "for ever", "no date", "no PDF", "too large", "no document"],
)
def test_agreement_that_cannot_be_is_refused_in_words(
    vendor: BusinessAssociate, olga: User, changes: dict[str, object], sentence: str
) -> None:
    answer = signed_in(olga).post(f"/desk/agreements/{vendor.pk}/agreements", filled(**changes))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not vendor.agreements.exists()
    refused = AuditEntry.objects.filter(code="agreement.added", outcome="refused")
    assert refused.exists() is (sentence in OF_DAYS)


def test_list_says_what_is_locked(vendor: BusinessAssociate, olga: User, settings: Any) -> None:
    settings.BACKUP_VENDOR = "cold-store"
    page = signed_in(olga).get("/desk/agreements/").content.decode()
    assert "Store of the backups (cold-store)</strong> is switched on and locked" in page
    assert "No agreement" in page


def test_owner_next_door_finds_no_vendor(vendor: BusinessAssociate, olga: User, bright: Practice) -> None:
    agreement = signed(vendor, olga)
    mallory: Client = signed_in(make_staff(bright, Role.OWNER, "Mallory Owner"))
    where = f"/desk/agreements/{vendor.pk}/"
    assert mallory.get(where).status_code == 404
    assert mallory.get(f"{where}agreements/{agreement.pk}/document").status_code == 404
    assert mallory.post(f"{where}agreements/{agreement.pk}/end").status_code == 404
    assert mallory.post(f"{where}agreements", filled()).status_code == 404
    assert signed_in(olga).get(f"{where}agreements/{uuid4()}/document").status_code == 404
    assert has_agreement(vendor.practice_id, "twilio")


def test_desks_pages_warn_those_who_can_do_something(
    vendor: BusinessAssociate, olga: User, dana: User, settings: Any
) -> None:
    settings.BACKUP_VENDOR = "twilio"
    locked = "for want of an agreement: Store of the backups (twilio)."
    assert locked in signed_in(olga).get("/desk/").content.decode()
    assert locked not in signed_in(dana).get("/desk/").content.decode()
    signed(vendor, olga, days=20)
    assert "The agreement with Texts Inc ends in 20 days." in signed_in(olga).get("/desk/").content.decode()
    signed(vendor, olga, days=365)
    assert "agreement" not in signed_in(olga).get("/desk/").content.decode()
