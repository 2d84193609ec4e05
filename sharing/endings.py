"""Closing what has ended: sessions with what they released, expired shares, and tries nobody wrote down.

The supervisor's sweep calls it every few seconds; each row is closed by one conditional UPDATE, so it doesn't matter
how many sweeps run.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce

from portal.audit import trail
from portal.audit.actor import Actor, system
from portal.clock import now
from portal.jobs.models import Job
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent
from sharing import finishing, limits
from sharing.hold import WAITING, close_unsent
from sharing.lock import lock
from sharing.models import Message, Share, ShareSession, Tally
from sharing.unrequested import pause_unrequested

AT_ONCE = 200


def sweep_endings() -> None:
    """Close everything that has ended and isn't closed yet."""
    moment = now()
    _close_sessions(moment)
    _close_staff_tallies(moment)
    _note_expired(moment)
    _lock_spent(moment)
    pause_unrequested(moment)
    _close_unsent()
    limits.forget_old(moment)


def end_session(session: ShareSession, *, actor: Actor) -> None:
    """End a recipient's session because they asked for it."""
    moment = now()
    with transaction.atomic():
        if not ShareSession.objects.filter(pk=session.pk, ended_at=None).update(ended_at=moment):
            return
        if session.share is not None:
            trail.record(
                "share.session-ended", actor=actor, patient=session.share.patient_id, share=session.share.pk
            )
    _close_session(session, moment)


def _close_sessions(moment: datetime) -> None:
    waits = finishing.is_downloading(moment) & Q(ended_at=None)
    for session in ShareSession.objects.filter(_over(moment), ~waits, closed_at=None)[:AT_ONCE]:
        _close_session(session, moment)
    # Sessions of links that nobody knows belong to no record.
    ShareSession.objects.filter(share=None, ends_at__lte=moment).delete()


def _over(moment: datetime) -> Q:
    return Q(ended_at__isnull=False) | Q(idle_until__lte=moment) | Q(ends_at__lte=moment)


def _close_session(session: ShareSession, moment: datetime) -> None:
    with transaction.atomic():
        # Asked again: a batch may have moved the idle time on since the list was read.
        closed = ShareSession.objects.filter(_over(moment), pk=session.pk, closed_at=None).update(
            closed_at=moment, ended_at=Coalesce("ended_at", moment)
        )
        if not closed:
            return
        for tally in Tally.objects.filter(session=session, closed_at=None).select_related("study", "session"):
            _close_tally(tally, moment)


def _close_staff_tallies(moment: datetime) -> None:
    idle = moment - timedelta(seconds=settings.STAFF_IDLE_S)
    idling = Tally.objects.filter(session=None, closed_at=None, last_at__lte=idle)
    for tally in idling.select_related("study", "session")[:AT_ONCE]:
        with transaction.atomic():
            _close_tally(tally, moment)


def _close_tally(tally: Tally, moment: datetime) -> None:
    """Seal in the trail what was released: from here on the tally is only a copy of it."""
    if not Tally.objects.filter(pk=tally.pk, closed_at=None, last_at=tally.last_at).update(closed_at=moment):
        return
    trail.record(
        "series.closed",
        actor=system(tally.practice_id),
        patient=tally.study.patient_id,
        study=tally.study_id,
        series=tally.series_id,
        share=tally.session.share_id if tally.session else None,
        session=str(tally.session_id or tally.staff_session),
        subject=str(tally.actor_id),
        levels=[level for level in range(32) if tally.levels >> level & 1],
        frames=tally.frames,
        length_bytes=tally.length_bytes,
        first_at=tally.first_at.isoformat(),
        last_at=tally.last_at.isoformat(),
    )


def _note_expired(moment: datetime) -> None:
    due = Share.objects.filter(expires_at__lte=moment, expired_noted_at=None, revoked_at=None)
    for share in due[:AT_ONCE]:
        with transaction.atomic():
            if not Share.objects.filter(pk=share.pk, expired_noted_at=None).update(expired_noted_at=moment):
                continue
            open_sessions = ShareSession.objects.filter(share=share, ended_at=None)
            open_sessions.exclude(finishing.is_downloading(moment)).update(ended_at=moment)
            trail.record(
                "share.expired", actor=system(share.practice_id), patient=share.patient_id, share=share.pk
            )
            note(share.disclosure_id, DisclosureEvent.Kind.EXPIRED)


def _lock_spent(moment: datetime) -> None:
    """A process that died between a share's last try and the lock leaves the lock to us."""
    spent = Q(match_misses__gte=settings.BIRTHDATE_MISSES_MAX) | Q(
        code_failures__gte=settings.CODE_FAILURES_MAX
    )
    for share in Share.objects.filter(spent, locked_at=None, revoked_at=None, expires_at__gt=moment)[
        :AT_ONCE
    ]:
        with transaction.atomic():
            lock(share, actor=system(share.practice_id), reason="tries")


def _close_unsent() -> None:
    """A message whose job has failed for good, by an error nobody foresaw, must not wait in silence."""
    failed = Job.objects.filter(kind="send", state=Job.State.FAILED).values("subject_id")
    for message in Message.objects.filter(state__in=WAITING, pk__in=failed).select_related("share")[:AT_ONCE]:
        if not Job.objects.filter(
            subject_id=message.pk, state__in=[Job.State.QUEUED, Job.State.RUNNING]
        ).exists():
            close_unsent(message, "The message could not be sent.")
