"""A link that has ended: its recipient asks for a new one, the desk gives it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import Conflict
from portal.records.disclosures import note
from portal.records.holds import pass_holds
from portal.records.models import DisclosureEvent
from sharing.check_end import check_end
from sharing.hold import WAITING
from sharing.issue import queue_link
from sharing.liveness import state_for_newcomer
from sharing.models import Channel, DeskTask, Message, Share
from sharing.todo import add_task, close_tasks


def ask_renewal(share: Share, *, actor: Actor) -> bool:
    """Tell the desk that a new link is wanted; asking twice makes one task. Returns whether it is new.

    Raises `Conflict` for a share that still lives.
    """
    with transaction.atomic():
        if state_for_newcomer(share, now()) == "live":
            raise Conflict(_("This link still works."))
        if not add_task(share, DeskTask.Kind.RENEWAL):
            return False
        trail.record("share.renewal-asked", actor=actor, patient=share.patient_id, share=share.pk)
        note(share.disclosure_id, DisclosureEvent.Kind.RENEWAL_ASKED)
    return True


def renew(share: Share, *, expires_at: datetime, actor: Actor) -> Message | None:
    """Let an expired or living share go on until `expires_at`, with a new link; a letter's is made by printing it.

    Raises `Conflict` for a revoked or locked share, `InvalidInput` for a time beyond the practice's maximum.
    """
    check_end(share, expires_at, actor=actor)
    with transaction.atomic():
        pass_holds(share.patient, name=share.disclosure.recipient_name, address=share.address)
        if not Share.objects.filter(pk=share.pk, revoked_at=None, locked_at=None, suspended_at=None).update(
            expires_at=expires_at, expired_noted_at=None, opens=0
        ):
            raise Conflict(
                "A revoked or suspended link can't be renewed, and a locked one must be unlocked first."
            )
        close_tasks(share, DeskTask.Kind.RENEWAL)
        trail.record(
            "share.queued",
            actor=actor,
            patient=share.patient_id,
            share=share.pk,
            expires_at=expires_at.isoformat(),
        )
        share.refresh_from_db(fields=["expires_at"])
        if share.channel == Channel.LETTER:
            return None
        # The UPDATE above holds the row, so that two clicks at once find each other's message.
        waiting = share.messages.filter(kind=Message.Kind.LINK, state__in=WAITING).first()
        return waiting or queue_link(share)
