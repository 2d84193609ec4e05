"""What vendors report about messages they took: delivered, or not and why. Accepted is not delivered.

A report names our message id, never a number. It is believed only after its signature (`sharing.views.reports`),
and may come twice, late, or before the sending transaction has ended.
"""

from __future__ import annotations

import uuid

from django.db import transaction

from portal.audit.events import FAILED
from portal.clock import now
from portal.errors import NotFound
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent
from sharing.known import ReadBack
from sharing.models import DeskTask, Message
from sharing.opted_out import opt_out
from sharing.record_message import record_message
from sharing.todo import add_task, close_tasks
from sharing.troubles import Trouble, sentence

_State = Message.State
UNDECIDED = (_State.QUEUED, _State.HELD, _State.SENT)


def delivered(message_id: uuid.UUID, *, gateway: str) -> None:
    """The telephone has it. It overrules a report that said otherwise: parts of one text are reported apart."""
    message = _message(message_id)
    if message is None:
        return
    with transaction.atomic():
        open_ones = Message.objects.filter(pk=message.pk, state__in=[*UNDECIDED, _State.UNDELIVERED])
        if not open_ones.update(
            state=_State.DELIVERED, trouble="", failure="", due_at=None, reported_at=now()
        ):
            return
        share = message.share
        record_message("share.delivered", message, gateway=gateway)
        close_tasks(share, DeskTask.Kind.SEND_FAILED)
        if message.kind == Message.Kind.LINK:
            note(share.disclosure_id, DisclosureEvent.Kind.DELIVERED)


def undelivered(message_id: uuid.UUID, trouble: Trouble, *, gateway: str) -> None:
    """The telephone doesn't have it: the record says so, and the desk gets a task with the reason."""
    message = _message(message_id)
    if message is None:
        # Somebody waits at the desk for the patient to read a code out.
        ReadBack.objects.filter(pk=message_id, consumed_at=None).update(failure=sentence(trouble))
        return
    with transaction.atomic():
        open_ones = Message.objects.filter(pk=message.pk, state__in=UNDECIDED)
        if not open_ones.update(
            state=_State.UNDELIVERED,
            trouble=trouble,
            failure=sentence(trouble),
            due_at=None,
            reported_at=now(),
        ):
            return
        share = message.share
        record_message("share.undelivered", message, outcome=FAILED, gateway=gateway, trouble=trouble.value)
        if message.kind == Message.Kind.LINK:
            note(share.disclosure_id, DisclosureEvent.Kind.UNDELIVERED, sentence=sentence(trouble))
        add_task(share, DeskTask.Kind.SEND_FAILED)
        if trouble == Trouble.OPTED_OUT:
            opt_out(share.address)


def _message(message_id: uuid.UUID) -> Message | None:
    """The message; None for a number's check, which has no share and no record. Raises `NotFound`."""
    message = Message.objects.select_related("share").filter(pk=message_id).first()
    if message is None and not ReadBack.objects.filter(pk=message_id).exists():
        raise NotFound
    return message
