"""Counting what leaves: the check, the tally and, for the first bytes of a series, the trail's entry, at once.

`release` runs before the bytes do. Its one UPDATE raises the tally only while session and share live, so a revoked
share's next batch finds no row to raise, and what was released is always what was counted or less.

Source: 45 CFR 164.312(b), 164.528; design section 6 ("slice views are summed").
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction

from portal.audit import trail
from portal.clock import now
from portal.errors import NotFound
from portal.practice.models import Membership
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent
from sharing.grants import Grant, SessionOver, ShareEnded
from sharing.models import ShareSession, Tally
from sharing.statements import GATE, RAISE_RECIPIENT, RAISE_STAFF, USE, at_once, bound

# A session's idle time moves in steps, so that most batches write one row and not two.
USE_STEP: Final = timedelta(seconds=30)


def release(grant: Grant, series_id: uuid.UUID, *, level: int, frames: int, length_bytes: int) -> None:
    """Count `frames` items of `level` before they leave.

    The first release of a series in a session makes its tally, the entry in the trail and the disclosure's event.
    Raises `SessionOver` or `ShareEnded` when they ended since the grant; then nothing may leave.
    """
    if not _idle_time_moves(grant) and _raise(grant, series_id, level, frames, length_bytes):
        return  # the usual batch: one statement, which is a transaction of its own
    with transaction.atomic():
        if not _raise(grant, series_id, level, frames, length_bytes):
            _open_series(grant, series_id)
            _raise(grant, series_id, level, frames, length_bytes)
        if grant.session_id:
            _use(grant)


def still_live(grant: Grant) -> bool:
    """Whether the grant still holds: asked each 1 MiB of a download and at each heartbeat."""
    if grant.session_id is None:
        return _staff_is_in(grant)
    session, share = _alive(grant)
    return session and share


def _raise(grant: Grant, series_id: uuid.UUID, level: int, frames: int, length_bytes: int) -> bool:
    series, moment = bound(series_id), bound(grant.asked_at or now())
    counts = (1 << level, frames, length_bytes, moment)
    with connection.cursor() as cursor:
        if grant.session_id:
            session = bound(grant.session_id)
            cursor.execute(at_once(RAISE_RECIPIENT), (*counts, session, series, session))
        else:
            cursor.execute(at_once(RAISE_STAFF), (*counts, grant.actor.session, series))
        return cursor.rowcount == 1


def _idle_time_moves(grant: Grant) -> bool:
    """Whether the session's idle time is due to be moved, by what the gate has just read of it."""
    if grant.session_id is None:
        return False
    if grant.asked_at is None or grant.idle_until is None:
        return True
    return grant.idle_until < _idle_until(grant.asked_at) - USE_STEP


def _idle_until(moment: datetime) -> datetime:
    return moment + timedelta(seconds=settings.SHARE_IDLE_S)


def _use(grant: Grant) -> None:
    """Move the session's idle time on; it never passes the session's end, which each check asks for itself."""
    idle_until = _idle_until(now())
    with connection.cursor() as cursor:
        cursor.execute(USE, (bound(idle_until), bound(grant.session_id), bound(idle_until - USE_STEP)))


def _alive(grant: Grant) -> tuple[bool, bool]:
    with connection.cursor() as cursor:
        cursor.execute(at_once(GATE), (bound(grant.study.pk), bound(grant.session_id)))
        row = cursor.fetchone()
    return (bool(row[1]), bool(row[2])) if row else (False, False)


def _open_series(grant: Grant, series_id: uuid.UUID) -> None:
    """The slow way, once a session and series: why was there no tally to raise?"""
    if grant.session_id:
        # PostgreSQL: a second first batch waits here until the first has made the tally.
        ShareSession.objects.select_for_update().filter(pk=grant.session_id).first()
        session, share = _alive(grant)
        # The share first, as at the gate: revoking ends the sessions too, and that is what its viewer is told.
        if not share:
            raise ShareEnded
        if not session:
            raise SessionOver
    if not _make_tally(grant, series_id, now()):
        return
    trail.record(
        "series.opened",
        actor=grant.actor,
        patient=grant.study.patient_id,
        study=grant.study.pk,
        series=series_id,
        share=grant.share_id,
    )
    if grant.disclosure_id:
        note(grant.disclosure_id, DisclosureEvent.Kind.VIEWED, series=str(series_id))


def _make_tally(grant: Grant, series_id: uuid.UUID, moment: datetime) -> bool:
    """A new tally, or the closed one of a member of staff who came back; False when another request made it."""
    staff_session = "" if grant.session_id else grant.actor.session
    place = {"session_id": grant.session_id, "series_id": series_id, "staff_session": staff_session}
    tally = Tally.objects.select_for_update().filter(**place).first()
    if tally and tally.closed_at is None:
        return False
    if tally is None:
        tally = Tally(practice_id=grant.practice, study_id=grant.study.pk, actor_id=_actor_id(grant), **place)
    tally.levels = tally.frames = tally.length_bytes = 0
    tally.first_at = tally.last_at = moment
    tally.closed_at = None
    tally.save()
    return True


def _actor_id(grant: Grant) -> uuid.UUID:
    if grant.actor.id is None:
        raise NotFound
    return grant.actor.id


def _staff_is_in(grant: Grant) -> bool:
    works_here = Membership.objects.filter(
        practice_id=grant.practice, user_id=_actor_id(grant), is_active=True, user__is_active=True
    ).exists()
    return (
        works_here and Session.objects.filter(session_key=grant.actor.session, expire_date__gt=now()).exists()
    )
