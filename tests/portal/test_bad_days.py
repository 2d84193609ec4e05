"""Bad days: a role raised by hand, a clock set back, a trail that can't be written. Refused in words, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from portal.accounts.models import Role, User
from portal.audit.models import AuditEntry, AuditHead
from portal.audit.verify import verify
from portal.practice.models import Practice
from portal.records.models import Patient
from sharing import clock_back
from sharing.endings import sweep_endings
from sharing.liveness import live, state_of
from sharing.models import Share, ShareSession
from tests.cast import PASSWORD, actor_of, make_staff, signed_in
from tests.conftest import MovableClock
from tests.portal.accounts.steps import browser, code_of, give_code, give_password, is_in
from tests.sharing.conftest import make_share

# --- a member of staff who raises their own role -------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.FRONT_DESK, Role.CLINICIAN, Role.PRIVACY_OFFICER, Role.OWNER])
def test_r6_nobody_raises_their_own_role(smile: Practice, role: Role) -> None:
    user = make_staff(smile, role)
    member = user.memberships.get()
    client = signed_in(user)
    refused = client.post(reverse("change_role", args=[member.pk]), {"role": Role.OWNER})
    assert refused.status_code == 403
    assert "Not allowed" in refused.content.decode()
    member.refresh_from_db()
    assert member.role == role
    entry = AuditEntry.objects.get(code="access.refused")
    assert (entry.actor_id, entry.outcome) == (user.pk, "refused")
    assert not AuditEntry.objects.filter(code="staff.role-changed").exists()


@pytest.mark.django_db
def test_r6_role_in_a_form_a_cookie_or_a_header_counts_for_nothing(dana: User) -> None:
    client = signed_in(dana)
    session = client.session
    session["role"] = Role.OWNER
    session.save()
    client.cookies["role"] = Role.OWNER
    for method in (client.get, client.post):
        answer = method(reverse("staff"), {"role": Role.OWNER}, headers={"x-role": Role.OWNER})
        assert answer.status_code == 403


@pytest.mark.django_db
def test_r6_unknown_role_may_do_nothing_and_the_database_refuses_it(dana: User) -> None:
    from dataclasses import replace

    from django.db import IntegrityError

    from portal.accounts.permissions import Action, can

    king = replace(actor_of(dana), role="king")
    assert not any(can(king, action) for action in Action)
    with pytest.raises(IntegrityError), transaction.atomic():
        dana.memberships.update(role="king")


# --- a clock that was set back a day -------------------------------------------------------------------------------


@pytest.fixture
def share(pat: Patient, dana: User) -> Share:
    return make_share(pat, dana)


@pytest.mark.django_db
def test_link_that_has_expired_stays_so_when_the_clock_goes_back(share: Share, clock: MovableClock) -> None:
    from portal.clock import now

    clock.advance(days=31)
    sweep_endings()
    clock.advance(days=-2)
    share.refresh_from_db()
    assert share.expires_at > now(), "by its date alone it would live again"
    assert state_of(share, now()) == "expired"
    assert not Share.objects.filter(live(now()), pk=share.pk).exists()


@pytest.mark.django_db
def test_every_session_ends_and_the_trail_says_by_how_much(
    share: Share, dana: User, clock: MovableClock
) -> None:
    at_work = signed_in(dana)
    moment = share.created_at
    session = ShareSession.objects.create(
        share=share,
        key_hmac=b"k" * 32,
        step="verified",
        created_at=moment,
        verified_at=moment,
        idle_until=moment + timedelta(minutes=15),
        ends_at=moment + timedelta(hours=1),
    )
    clock_back.sweep_clock()
    assert is_in(at_work), "nothing was set back yet"
    clock.advance(days=-1)
    clock_back.sweep_clock()
    clock_back.sweep_clock()
    assert not is_in(at_work)
    session.refresh_from_db()
    assert session.ended_at is not None
    entry = AuditEntry.objects.get(code=clock_back.CODE)
    assert b'"share_sessions":1' in bytes(entry.event)
    assert b'"seconds":86' in bytes(entry.event)


@pytest.mark.django_db
def test_a_correction_of_seconds_ends_nothing(share: Share, dana: User, clock: MovableClock) -> None:
    at_work = signed_in(dana)
    clock.advance(minutes=-4)
    clock_back.sweep_clock()
    assert is_in(at_work)
    assert not AuditEntry.objects.filter(code=clock_back.CODE).exists()


@pytest.mark.django_db
def test_code_that_was_used_stays_used_and_work_goes_on(
    smile: Practice, dana: User, pat: Patient, clock: MovableClock
) -> None:
    client = browser()
    give_password(client, dana)
    code = code_of(dana)
    assert give_code(client, code).status_code == 302
    clock.advance(days=-1)
    again = browser()
    give_password(again, dana)
    assert give_code(again, code).status_code == 422
    assert signed_in(dana).get(reverse("patient", args=[pat.pk])).status_code == 200
    assert verify(smile.pk).finding is None, "the chain's order is not that of the times"


# --- a trail that can't be written ---------------------------------------------------------------------------------


@contextmanager
def locked_trail() -> Iterator[None]:
    """Another process holds the trail's table; ours doesn't wait the half minute it would."""
    begun, done = Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                if connection.vendor == "postgresql":
                    cursor.execute("LOCK TABLE audit_auditentry IN ACCESS EXCLUSIVE MODE")
                else:
                    cursor.execute("UPDATE audit_audithead SET n = n")  # SQLite locks the file
                begun.set()
                done.wait(30)
        finally:
            begun.set()
            connection.close()

    is_sqlite = connection.vendor == "sqlite"
    holder = Thread(target=hold)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50" if is_sqlite else "SET lock_timeout = '50ms'")
    holder.start()
    try:
        assert begun.wait(10)
        yield
    finally:
        done.set()
        holder.join()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 30000" if is_sqlite else "SET lock_timeout = 0")


@pytest.mark.django_db(transaction=True)
def test_r25_locked_trail_refuses_every_act_in_words_and_loses_nothing(
    smile: Practice, omar: User, dana: User, pat: Patient
) -> None:
    owner: Client = signed_in(omar)
    member = dana.memberships.get()
    entries, head = AuditEntry.objects.count(), AuditHead.objects.get(practice_id=smile.pk).n
    acts: list[tuple[str, dict[str, Any]]] = [
        (reverse("change_role", args=[member.pk]), {"role": Role.OWNER}),
        (reverse("deactivate_member", args=[member.pk]), {}),
        (reverse("legal_holds", args=[pat.pk]), {"reason": "Letter of the court"}),
        (reverse("new_hold", args=[pat.pk]), {"kind": "restricted", "reason": "The patient asked"}),
    ]
    with locked_trail():
        for address, fields in acts:
            refused = owner.post(address, fields)
            assert refused.status_code == 503, address
            assert "The system is busy. Please try again" in refused.content.decode()
        assert owner.get(reverse("patient", args=[pat.pk])).status_code == 503, "no entry, no page"
        guess = {"email": dana.email, "password": f"not {PASSWORD}"}
        assert browser().post("/", guess).status_code == 503, "a guess that can't be written down is no guess"
    member.refresh_from_db()
    assert (member.role, member.is_active) == (Role.FRONT_DESK, True)
    assert not pat.holds.exists()
    assert not pat.legal_holds.exists()
    assert (AuditEntry.objects.count(), AuditHead.objects.get(practice_id=smile.pk).n) == (entries, head)
    assert owner.post(*acts[0]).status_code == 302, "afterwards it goes through"
    assert verify(smile.pk).finding is None
