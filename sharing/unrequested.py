"""Codes that somebody else asks for: three in a row that nobody typed in pause the share.

The telephone that gets them belongs to the patient; whoever asks has the link and the date of birth, and no code. The
same happens where texts are taken by the vendor and never arrive, and then too it is the desk that can help: it is
told, and opens the share again in one click. A right code, and the desk's click, begin the count anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet

from portal.audit.actor import Actor, system
from portal.records.models import DisclosureEvent
from sharing.liveness import live
from sharing.lock import lock
from sharing.models import Challenge, DeskTask, Message, Share

ENOUGH: Final = 3
_ARRIVED: Final = (Message.State.SENT, Message.State.DELIVERED)
_AT_ONCE: Final = 200


def pause_if_unrequested(share: Share, *, actor: Actor) -> bool:
    """Lock the share where its last three codes went out and nobody typed anything in; in the caller's transaction."""
    last = list(_since_it_was_used(share).order_by("-created_at")[:ENOUGH])
    if len(last) < ENOUGH or any(code.tries or code.consumed_at for code in last):
        return False
    unsent = Message.objects.filter(challenge__in=last).exclude(state__in=_ARRIVED)
    # A decoy's codes have no message: it must walk like the others.
    return not unsent.exists() and lock(
        share, actor=actor, reason="unrequested", task=DeskTask.Kind.UNREQUESTED
    )


def pause_unrequested(moment: datetime) -> None:
    """The same for shares whose third code has just run out: the desk hears of it without a fourth."""
    ran_out = Challenge.objects.filter(
        expires_at__gt=moment - timedelta(hours=1), expires_at__lte=moment, tries=0, consumed_at=None
    )
    for share in Share.objects.filter(live(moment), pk__in=ran_out.values("share_id"))[:_AT_ONCE]:
        # One that may still be typed in isn't over.
        if not share.challenges.filter(expires_at__gt=moment).exists():
            with transaction.atomic():
                pause_if_unrequested(share, actor=system(share.practice_id))


def _since_it_was_used(share: Share) -> QuerySet[Challenge]:
    kinds = (DisclosureEvent.Kind.VERIFIED, DisclosureEvent.Kind.UNLOCKED)
    last = DisclosureEvent.objects.filter(disclosure_id=share.disclosure_id, kind__in=kinds).order_by("-at")
    since = last.values_list("at", flat=True).first()
    return share.challenges.filter(Q(created_at__gt=since) if since else Q())
