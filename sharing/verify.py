"""The third step: a code to the address the desk entered, and the code back.

Every counter is one conditional UPDATE. A guess takes a place on the challenge and on the share, both committed
before it is compared, so that parallel guesses never get more tries than serial ones.

Source: NIST SP 800-63B-4, 3.1.3.2 ("generating a new authentication secret SHALL NOT reset the failed
authentication count") and 3.2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.audit import trail
from portal.audit.events import REFUSED
from portal.clock import now
from portal.errors import CodeRefused, Conflict, Gone
from portal.jobs.queue import enqueue
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent
from sharing import limits
from sharing.actors import recipient
from sharing.calls import may_call
from sharing.codes import is_code
from sharing.grants import SessionOver
from sharing.liveness import live, opens_left
from sharing.lock import note_wrong_code
from sharing.models import Challenge, Message, Share, ShareSession
from sharing.notices import tell_of_opening
from sharing.paper import is_on_paper
from sharing.sessions import step_on
from sharing.unrequested import pause_if_unrequested

QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Verified:
    """The session that opens the scan, and its cookie's key."""

    session: ShareSession
    key: str


# --- asking for a code ---------------------------------------------------------------------------------------------


def request_code(session: ShareSession, *, address: str, by_call: bool = False) -> Challenge:
    """Queue a code for the share's address, written or `by_call` spoken; it replaces the one before it.

    A decoy session walks the same way, against the same limits, and nothing is sent.
    Raises `LimitReached` (with `retry_after_s`), `Gone`, or `Conflict` where the code is on a printed slip or a call
    isn't offered.
    """
    share = _share_of(session)
    if is_on_paper(share):
        raise Conflict(next="/s/slip")
    kind = Message.Kind.CALL if by_call else Message.Kind.CODE
    challenge = _ask(session, share, kind, address=address)
    if challenge is None:
        raise Gone  # after the lock was committed
    return challenge


def _ask(session: ShareSession, share: Share, kind: Message.Kind, *, address: str) -> Challenge | None:
    """The challenge, or None where asking for it has paused the share."""
    with transaction.atomic():
        moment = now()
        _take_turn(share, moment)
        _check_recent(share, moment)
        if pause_if_unrequested(share, actor=recipient(share, session, address=address)):
            return None
        if kind == Message.Kind.CALL:
            if not may_call(session):
                raise Conflict(
                    _("We can't call this phone now. Ask for a text first."), next="/s/code/verify"
                )
            limits.take(limits.CALLS_TO_PHONE_DAY, share.address)
        limits.take(limits.PHONE_DAY, share.address)
        limits.take(limits.PRACTICE_DAY, str(share.practice_id))
        limits.take_from(limits.ADDRESS_HOUR, address)
        challenge = Challenge.objects.create(
            session=session,
            share=share,
            created_at=moment,
            expires_at=moment + timedelta(seconds=settings.CODE_LIFETIME_S),
        )
        is_decoy = session.step == ShareSession.Step.DECOY
        if not is_decoy:
            _send(challenge, kind, moment)
        trail.record(
            "share.code-requested",
            actor=recipient(share, session, address=address),
            outcome=REFUSED if is_decoy else "ok",
            patient=share.patient_id,
            share=share.pk,
            challenge=str(challenge.pk),
            kind=kind.value,
        )
    return challenge


def _share_of(session: ShareSession) -> Share:
    if session.share is None:
        raise SessionOver
    return session.share


def _take_turn(share: Share, moment: datetime) -> None:
    """One of many simultaneous asks goes on; it holds the share's row until it is done."""
    wait = timedelta(seconds=settings.CODE_RESEND_AFTER_S)
    rested = Q(code_asked_at=None) | Q(code_asked_at__lte=moment - wait)
    if Share.objects.filter(live(moment), rested, pk=share.pk).update(code_asked_at=moment):
        return
    asked_at = Share.objects.filter(live(moment), pk=share.pk).values_list("code_asked_at", flat=True).first()
    if asked_at is None:
        raise Gone
    raise limits.too_often(asked_at + wait - moment)


def _check_recent(share: Share, moment: datetime) -> None:
    """3 in any 15 minutes, 6 in any day: counted exactly, because `_take_turn` lets one in at a time."""
    for window, most in ((QUARTER, settings.CODE_SENDS_MAX_15MIN), (DAY, settings.CODE_SENDS_MAX_DAY)):
        recent = Challenge.objects.filter(share=share, created_at__gt=moment - window)
        asked = list(recent.order_by("-created_at").values_list("created_at", flat=True)[:most])
        if len(asked) == most:
            raise limits.too_often(asked[-1] + window - moment)


def _send(challenge: Challenge, kind: Message.Kind, moment: datetime) -> None:
    """The outbox row and its job; codes asked for before stop working."""
    Challenge.objects.filter(share_id=challenge.share_id, consumed_at=None, expires_at__gt=moment).exclude(
        pk=challenge.pk
    ).update(expires_at=moment)
    message = Message.objects.create(
        practice_id=challenge.share.practice_id,
        share_id=challenge.share_id,
        challenge=challenge,
        kind=kind,
        created_at=moment,
    )
    enqueue("send", message.pk)


# --- giving it back ------------------------------------------------------------------------------------------------


def verify_code(session: ShareSession, code: str, *, address: str) -> Verified:
    """Open the scan if this is the code. Raises `CodeRefused` (with `tries_left`), `Gone` or `SessionOver`."""
    share = _share_of(session)
    challenge = Challenge.objects.filter(session=session).order_by("-created_at").first()
    if challenge is None:
        raise CodeRefused(_("Ask for a code first."))
    if not _take_try(challenge, share):
        raise _no_try_left(challenge, share)
    kept = Challenge.objects.values_list("code_hmac", flat=True).get(pk=challenge.pk)
    # A decoy's challenge and one whose code is still on its way have no code: every guess is compared and wrong.
    if not is_code(code, bytes(kept or bytes(32)), challenge=challenge.pk, share=share.pk):
        raise _refuse(session, challenge, share, address=address)
    give_back(share)
    return _open(session, challenge, share, address=address)


def give_back(share: Share) -> None:
    """The code was right: its place among the failures is free again, whatever becomes of the opening."""
    Share.objects.filter(pk=share.pk, code_failures__gt=0).update(code_failures=F("code_failures") - 1)


def _take_try(challenge: Challenge, share: Share) -> bool:
    """Take a place on the code and on the share, both or none, committed before the comparison."""
    moment = now()
    with transaction.atomic():
        on_code = Challenge.objects.filter(
            pk=challenge.pk, tries__lt=settings.CODE_TRIES_MAX, consumed_at=None, expires_at__gt=moment
        ).update(tries=F("tries") + 1)
        on_share = on_code and Share.objects.filter(
            live(moment), pk=share.pk, code_failures__lt=settings.CODE_FAILURES_MAX
        ).update(code_failures=F("code_failures") + 1)
        if on_code and not on_share:
            transaction.set_rollback(True)
    return bool(on_share)


def _no_try_left(challenge: Challenge, share: Share) -> Exception:
    if not Share.objects.filter(live(now()), pk=share.pk).exists():
        return Gone()
    return CodeRefused(_("This code has ended. Ask for a new one."), tries_left=0)


def _refuse(session: ShareSession, challenge: Challenge, share: Share, *, address: str) -> CodeRefused:
    """Write the miss down; the share's last one locks it. Returns the refusal."""
    failures = note_wrong_code(share, actor=recipient(share, session, address=address))
    tries = Challenge.objects.values_list("tries", flat=True).get(pk=challenge.pk)
    left = max(0, min(settings.CODE_TRIES_MAX - tries, settings.CODE_FAILURES_MAX - failures))
    if not left:
        return CodeRefused(
            _("The code is wrong, and this was its last try. Ask for a new code."), tries_left=0
        )
    words = ngettext(
        "The code is wrong. You have %(n)s try left.", "The code is wrong. You have %(n)s tries left.", left
    )
    return CodeRefused(words % {"n": left}, tries_left=left)


def _open(session: ShareSession, challenge: Challenge, share: Share, *, address: str) -> Verified:
    moment = now()
    with transaction.atomic():
        # Of two right codes sent at once, one consumes the challenge and opens the session.
        if not Challenge.objects.filter(pk=challenge.pk, consumed_at=None).update(
            consumed_at=moment, tries=F("tries") - 1
        ):
            raise CodeRefused(_("This code has been used. Ask for a new one."), tries_left=0)
        return enter(session, share, address=address)


def enter(session: ShareSession, share: Share, *, address: str) -> Verified:
    """The code was right: begin the session that opens the scan, in the caller's transaction.

    Raises `SessionOver` when another request was first, `Gone` when the share has ended meanwhile or was opened
    as often as it allows.
    """
    # Who is in and takes a fresh code for a download opens nothing anew.
    opening = 0 if session.step == ShareSession.Step.VERIFIED else 1
    room = opens_left() if opening else Q()
    stepped = step_on(session, ShareSession.Step.VERIFIED)
    if stepped is None:
        raise SessionOver
    if not Share.objects.filter(live(now()), room, pk=share.pk).update(opens=F("opens") + opening):
        raise Gone
    trail.record(
        "share.verified",
        actor=recipient(share, stepped[0], address=address),
        patient=share.patient_id,
        share=share.pk,
    )
    note(share.disclosure_id, DisclosureEvent.Kind.VERIFIED)
    tell_of_opening(share)
    return Verified(*stepped)
