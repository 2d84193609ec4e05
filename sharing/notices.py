"""Telling a patient that the dentist they chose has opened the scan: at every open, by a text that names nobody."""

from __future__ import annotations

from django.db import transaction

from portal.audit import trail
from portal.audit.actor import system
from portal.clock import now
from portal.errors import LimitReached
from portal.jobs.queue import enqueue
from sharing import limits
from sharing.liveness import live
from sharing.models import Channel, Message, Share
from sharing.onward import Reshare


def tell_of_opening(share: Share) -> None:
    """Queue the notice, in the transaction of the opening; nothing to do for shares the practice made.

    A patient with a letter reads it under "Who opened my scan". So does one who was told ten times today: the notice
    must not become a way to fill a telephone, nor the cap a way to keep the dentist out.
    """
    passed_on = Reshare.objects.filter(share=share).select_related("parent").first()
    if passed_on is None or passed_on.parent.channel == Channel.LETTER:
        return
    parent, moment = passed_on.parent, now()
    if not Share.objects.filter(live(moment), pk=parent.pk).exists():
        return
    try:
        with transaction.atomic():
            limits.take(limits.NOTICES_DAY, str(parent.pk))
    except LimitReached:
        return
    message = Message.objects.create(
        practice_id=parent.practice_id, share=parent, kind=Message.Kind.NOTICE, created_at=moment
    )
    trail.record(
        "share.notice-queued",
        actor=system(parent.practice_id),
        patient=parent.patient_id,
        share=parent.pk,
        message=str(message.pk),
        opened=str(share.pk),
    )
    enqueue("send", message.pk)
