"""Taking a share back in the seconds before its message leaves: nobody outside ever knew of it."""

from __future__ import annotations

from typing import Final

from django.db import transaction

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import Conflict, NotFound
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent
from sharing.models import Message, Share
from sharing.todo import close_tasks

_Kind = DisclosureEvent.Kind
_LINK_BEFORE: Final = (_Kind.SENT, _Kind.NUMBER_CHANGED, _Kind.LOST_PHONE, _Kind.PRINTED)
TAKEN_BACK: Final = "The share was undone before it was sent."


def undo(share: Share, *, actor: Actor) -> None:
    """End a share whose link was never made; the record says that it was undone.

    The row stays, for the record is only ever added to. Minting a link needs a living share and undoing needs a
    share without a link, both asked in their own UPDATE: of the worker and the desk exactly one wins.
    Raises `Conflict` when the message has left.
    """
    if share.practice_id != actor.practice:
        raise NotFound
    with transaction.atomic():
        unsent = Share.objects.filter(pk=share.pk, token_hmac=None, links_sent=0, revoked_at=None)
        # A link that was made and then forgotten left an event: it may have left before.
        unsent = unsent.exclude(disclosure__events__kind__in=_LINK_BEFORE)
        if not unsent.update(revoked_at=now(), revoked_by_id=actor.id):
            raise Conflict("The message has left already. Revoke the share to end it.")
        waiting = share.messages.filter(state__in=[Message.State.QUEUED, Message.State.HELD])
        waiting.update(state=Message.State.FAILED, failure=TAKEN_BACK)
        for kind in ("send-failed", "held"):
            close_tasks(share, kind)
        trail.record("share.undone", actor=actor, patient=share.patient_id, share=share.pk)
        note(share.disclosure_id, DisclosureEvent.Kind.UNDONE)


def can_undo(share: Share) -> bool:
    """Whether the share could still be undone when it was read."""
    return share.token_hmac is None and share.links_sent == 0 and share.revoked_at is None
