"""The second step: is this the person the desk meant? A birth date or an address, asked before any code is sent.

A recipient match check, not an authenticator: it stops the stranger behind a mistyped number, and robots.
A try takes its place by a conditional UPDATE that is committed before anything is compared; five misses lock the
share and alert the desk.

Source: 45 CFR 164.514(h); NIST SP 800-63B-4, 3.1.1.2 and 3.2.2.
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.audit import trail
from portal.audit.actor import Actor
from portal.audit.events import REFUSED
from portal.clock import now
from portal.errors import CodeRefused
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent
from portal.sealed.keys import installation_key
from sharing import limits
from sharing.actors import recipient
from sharing.addresses import folded
from sharing.grants import SessionOver
from sharing.liveness import state_for_newcomer
from sharing.lock import lock
from sharing.models import Share, ShareSession
from sharing.sessions import step_on, touch

# A share that isn't there, for the same question to the database about a link that nobody knows.
NOBODY: Final = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class Matched:
    """The next session and its cookie's key. `state` tells what became of the share: "live" leads to the code."""

    session: ShareSession
    key: str
    state: str


def give_birthdate(session: ShareSession, birthdate: date, *, address: str) -> Matched:
    """Compare the date of birth. Raises `CodeRefused` when it doesn't match, with `tries_left` on a live link."""
    share = session.share
    took = _take_try(share, address)
    expected = share.patient.birthdate if share is not None and took else None
    if share is None or not _same(birthdate.isoformat(), expected.isoformat() if expected else None):
        raise _miss(session, address=address)
    return _match(session, share, ShareSession.Step.MATCHED, address=address)


def give_address(session: ShareSession, typed: str, *, address: str, said: str = "") -> Matched:
    """Compare the address a dentist typed. Right or wrong, the answer is the same; only a right one gets a code.

    `said` is who they say they are, where several people read that address; it goes into the trail.
    """
    share = session.share
    took = _take_try(share, address)
    expected = share.address if share is not None and took else None
    if share is None or not _same(folded(typed), expected):
        return _walk_on_as_decoy(session, address=address)
    return _match(session, share, ShareSession.Step.MATCHED, address=address, said=said)


def _take_try(share: Share | None, address: str) -> bool:
    """Take one of the share's tries, committed before anything is compared: True if there was one left."""
    with transaction.atomic():
        limits.take_from(limits.MATCHES_HOUR, address)
        return bool(
            Share.objects.filter(
                pk=share.pk if share else NOBODY, match_misses__lt=settings.BIRTHDATE_MISSES_MAX
            ).update(match_misses=F("match_misses") + 1)
        )


def _same(given: str, expected: str | None) -> bool:
    """Compare by keyed hash, in constant time; without anything to compare with, the work is the same."""
    key = installation_key("otp", "match")
    kept = secrets.token_bytes(32) if expected is None else hmac.digest(key, expected.encode(), "sha256")
    return hmac.compare_digest(hmac.digest(key, given.encode(), "sha256"), kept)


def _match(session: ShareSession, share: Share, step: str, *, address: str, said: str = "") -> Matched:
    with transaction.atomic():
        Share.objects.filter(pk=share.pk, match_misses__gt=0).update(match_misses=F("match_misses") - 1)
        stepped = step_on(session, step)
        if stepped is None:
            raise SessionOver
        state = state_for_newcomer(share, now())
        if state == "live":
            note(share.disclosure_id, DisclosureEvent.Kind.OPENED)
        trail.record(
            "share.matched",
            actor=recipient(share, stepped[0], address=address),
            patient=share.patient_id,
            share=share.pk,
            private={"self_declared": said} if said else {},
            state=state,
        )
    return Matched(*stepped, state)


def _miss(session: ShareSession, *, address: str) -> CodeRefused:
    """Write the miss down; the share's last one locks it. Returns the refusal."""
    share = session.share
    with transaction.atomic():
        touch(session)
        if share is None:
            return _neutral_refusal()
        was_live = state_for_newcomer(share, now()) == "live"
        misses = _note_miss(session, share, recipient(share, session, address=address))
    if not was_live:
        return _neutral_refusal()
    return _refusal(share, max(0, settings.BIRTHDATE_MISSES_MAX - misses))


def _walk_on_as_decoy(session: ShareSession, *, address: str) -> Matched:
    with transaction.atomic():
        stepped = step_on(session, ShareSession.Step.DECOY)
        if stepped is None:
            raise SessionOver
        if session.share is not None:
            _note_miss(session, session.share, recipient(session.share, stepped[0], address=address))
    return Matched(*stepped, "live")


def _note_miss(session: ShareSession, share: Share, actor: Actor) -> int:
    """The entry of a miss, and the lock if it was the last; returns the misses so far.

    The count is read again here, so that a try whose process died before this is still seen by the next one.
    """
    trail.record(
        "share.match-refused", actor=actor, outcome=REFUSED, patient=share.patient_id, share=share.pk
    )
    misses = Share.objects.values_list("match_misses", flat=True).get(pk=share.pk)
    if misses >= settings.BIRTHDATE_MISSES_MAX:
        lock(share, actor=actor, reason="match")
    return misses


def _neutral_refusal() -> CodeRefused:
    return CodeRefused(
        _("That does not match a link that works. Check the date, or call your dental office for a new link.")
    )


def _refusal(share: Share, tries_left: int) -> CodeRefused:
    practice = share.practice
    if not tries_left:
        sentence = _("That does not match. The link is now locked. Please call %(practice)s at %(phone)s.")
        return CodeRefused(sentence % {"practice": practice.name, "phone": practice.phone}, tries_left=0)
    words = ngettext("%(n)s try left for %(name)s.", "%(n)s tries left for %(name)s.", tries_left)
    # "Maria G." brings its own full stop.
    tries = words % {"n": tries_left, "name": share.patient.short_name.rstrip(".")}
    return CodeRefused(_("That does not match.") + " " + tries, tries_left=tries_left)
