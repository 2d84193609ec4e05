"""A link that was forwarded to a colleague: they can't get its code, and ask the practice for a link of their own.

Nothing is sent and nothing opens. The desk reads who asks, calls the office if it doesn't know them, and makes a
share of its own with a record of its own, or declines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import Conflict, InvalidInput, NotFound
from sharing.addresses import address_for
from sharing.models import Channel, DeskTask, Share

NAME_CHARS_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, by their own word."""

    name: str
    role: str
    address: str

    @property
    def channel(self) -> str:
        return Channel.EMAIL if "@" in self.address else Channel.TEXT


def self_declared(name: str, role: str) -> str:
    """The words somebody says of themselves. Raises `InvalidInput` (with `field`)."""
    for field, text in (("name", name), ("role", role)):
        if not text.strip() or len(text) > NAME_CHARS_MAX:
            raise InvalidInput(_("Enter your name and what you do there."), field=field)
    return ", ".join(" ".join(text.split()) for text in (name, role))


def ask_to_be_added(share: Share, *, name: str, role: str, address: str, actor: Actor) -> bool:
    """Give the desk the task, once while it is open; returns whether it is new. Raises `InvalidInput`."""
    said = self_declared(name, role)
    try:
        address = address_for(Channel.EMAIL if "@" in address else Channel.TEXT, address)
    except InvalidInput:
        raise InvalidInput(
            _("This is not an e-mail address or a mobile number. Please check it."), field="address"
        ) from None
    person = {"name": " ".join(name.split()), "role": " ".join(role.split()), "address": address}
    with transaction.atomic():
        # The lock makes two at once one task.
        Share.objects.select_for_update().get(pk=share.pk)
        if asked_by(share) is not None:
            return False
        DeskTask.objects.create(
            practice_id=share.practice_id,
            share=share,
            kind=DeskTask.Kind.ADD_PERSON,
            created_at=now(),
            note=person,
        )
        trail.record(
            "share.addition-asked",
            actor=actor,
            patient=share.patient_id,
            share=share.pk,
            private={"self_declared": said, "to": address},
        )
    return True


def asked_by(share: Share) -> Person | None:
    """Who waits for an answer."""
    task = DeskTask.objects.filter(share=share, kind=DeskTask.Kind.ADD_PERSON, done_at=None).first()
    return Person(**task.note) if task is not None and task.note else None


def decline(share: Share, *, actor: Actor) -> None:
    """The desk says no. Raises `Conflict` when nobody waits."""
    if share.practice_id != actor.practice:
        raise NotFound
    with transaction.atomic():
        waiting = DeskTask.objects.filter(share=share, kind=DeskTask.Kind.ADD_PERSON, done_at=None)
        if not waiting.update(done_at=now()):
            raise Conflict
        trail.record("share.addition-declined", actor=actor, patient=share.patient_id, share=share.pk)
