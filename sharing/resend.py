"""Sending a share's link again: a new link, and the one before it dies when the new one is sent."""

from __future__ import annotations

from django.db import transaction

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import Conflict, NotFound
from sharing.hold import WAITING
from sharing.issue import queue_link
from sharing.liveness import state_of
from sharing.models import Message, Share

_WHY_NOT = {
    "revoked": "This link was revoked. Make a new share instead.",
    "expired": "This link has expired. Renew it, or make a new share.",
    "locked": "This link is locked. Unlock it first.",
    "suspended": "This link is suspended. The privacy officer decides whether it goes on.",
}


def resend(share: Share, *, actor: Actor) -> Message:
    """Queue a new link; one that is still waiting to be sent is returned instead. No count of misses is reset.

    Raises `Conflict` for a share that doesn't live.
    """
    if share.practice_id != actor.practice:
        raise NotFound
    with transaction.atomic():
        # The lock makes two clicks at once one message.
        share = Share.objects.select_for_update().get(pk=share.pk)
        state = state_of(share, now())
        if state != "live":
            raise Conflict(_WHY_NOT[state])
        waiting = share.messages.filter(kind=Message.Kind.LINK, state__in=WAITING).first()
        if waiting is not None:
            return waiting
        Share.objects.filter(pk=share.pk).update(opens=0)  # a new link, as often as the first
        trail.record("share.queued", actor=actor, patient=share.patient_id, share=share.pk)
        return queue_link(share)
