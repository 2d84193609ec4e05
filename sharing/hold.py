"""A message that can't leave now: it waits with its reason shown, and is tried again until it leaves or is too old.

Nothing here looks for another way out: a message held for want of an agreement must not reach another vendor.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F

from portal.audit.events import FAILED
from portal.clock import now
from portal.jobs.run import Lease
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent
from sharing.in_order import take_share
from sharing.models import DeskTask, Message
from sharing.record_message import record_message
from sharing.todo import add_task, close_tasks
from sharing.troubles import BY_THE_CLOCK, Trouble, sentence

WAITING: Final = (Message.State.QUEUED, Message.State.HELD)
# A code lives ten minutes and somebody waits for it; a link may take its time. Then the last step again and again.
_CODE_STEPS_S: Final = (3, 5, 10, 20, 30)
_LINK_STEPS_S: Final = (15, 30, 60, 120, 300, 600)


def hold(message: Message, lease: Lease, trouble: Trouble, *, until: datetime | None = None) -> None:
    """Let the message wait, and its job with it, at once or not at all; one that has waited too long is given up.

    Record, trail and desk are told when the reason is a new one, not at each try.
    """
    moment = now()
    if moment - message.created_at > timedelta(seconds=settings.MESSAGE_HELD_MAX_S):
        with transaction.atomic():
            lease.check()
            close_unsent(message, sentence(trouble), trouble=trouble)
        return
    due_at = until or moment + timedelta(seconds=_wait_s(message))
    with transaction.atomic():
        lease.check()
        take_share(message.share_id)
        waiting = Message.objects.filter(pk=message.pk, state__in=WAITING)
        is_news = waiting.exclude(trouble=trouble).exists()
        waiting.update(
            state=Message.State.HELD,
            trouble=trouble,
            failure=sentence(trouble),
            due_at=due_at,
            holds=F("holds") + 1,
        )
        if is_news and trouble != Trouble.TURN:
            _tell(message, trouble)
        lease.wait(due_at)


def _wait_s(message: Message) -> int:
    steps = _CODE_STEPS_S if message.kind in Message.CODES else _LINK_STEPS_S
    return steps[min(message.holds, len(steps) - 1)]


def _tell(message: Message, trouble: Trouble) -> None:
    share = message.share
    record_message("share.held", message, outcome=FAILED, trouble=trouble.value)
    if message.kind == Message.Kind.LINK:
        note(share.disclosure_id, DisclosureEvent.Kind.HELD, trouble=trouble.value)
    if trouble not in BY_THE_CLOCK:
        add_task(share, DeskTask.Kind.HELD)


def close_unsent(
    message: Message, words: str, *, trouble: Trouble = Trouble.UNKNOWN, tell_desk: bool = True
) -> None:
    """The message will not be sent: its row, the trail, the record and the desk say so, or nothing does."""
    share = message.share
    with transaction.atomic():
        take_share(share.pk)
        unsent = Message.objects.filter(pk=message.pk, state__in=WAITING)
        if not unsent.update(state=Message.State.FAILED, trouble=trouble, failure=words[:200], due_at=None):
            return
        record_message("share.send-failed", message, outcome=FAILED, sentence=words)
        if message.kind == Message.Kind.LINK:
            note(share.disclosure_id, DisclosureEvent.Kind.SEND_FAILED, sentence=words)
        close_tasks(share, DeskTask.Kind.HELD)
        if tell_desk:
            add_task(share, DeskTask.Kind.SEND_FAILED)
