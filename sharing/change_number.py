"""Sending a share to another number or address of the same person: the old link is dead at once."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import Conflict, InvalidInput, NotFound
from portal.records.disclosures import note
from portal.records.holds import refuse_person
from portal.records.models import DisclosureEvent
from sharing.addresses import address_for
from sharing.dead_links import kill_link
from sharing.guardians import guardianship_for
from sharing.issue import queue_link
from sharing.liveness import live
from sharing.models import Channel, Message, Share
from sharing.standing import index_of, refuse_bad, standing_of


def change_number(share: Share, *, channel: str, address: str, actor: Actor) -> Message:
    """Let the share go on with a new link to another address; misses and code failures stay counted.

    After a lost phone the new number must have been read back at the desk first. Raises `InvalidInput` for an address
    that can't be, is the old one, or must be verified; `Conflict` for a share that doesn't live.
    """
    if share.practice_id != actor.practice:
        raise NotFound
    if channel not in {Channel.TEXT, Channel.EMAIL}:
        raise InvalidInput("Choose text message or e-mail.", field="channel")
    address = address_for(channel, address)
    _check_other(share, address)
    whose = share.disclosure
    guardianship_for(
        share.patient, recipient_kind=whose.recipient_kind, name=whose.recipient_name, address=address
    )
    refuse_person(share.patient, name=whose.recipient_name, address=address)
    before, index = share.address, index_of(share.practice_id, address)
    with transaction.atomic():
        # The old address in the condition: of two changes at once, one wins.
        same = Share.objects.filter(live(now()), pk=share.pk, address_index=share.address_index)
        share.channel, share.address, share.address_index = channel, address, index
        if not _write(share, same):
            raise Conflict("This link has ended or was changed in the meantime. Please reload the page.")
        kill_link(share, now())
        trail.record(
            "share.number-changed",
            actor=actor,
            patient=share.patient_id,
            share=share.pk,
            private={"from": before, "to": address},
        )
        note(share.disclosure_id, DisclosureEvent.Kind.NUMBER_CHANGED, channel=channel)
        return queue_link(share)


def _check_other(share: Share, address: str) -> None:
    if address == share.address:
        raise InvalidInput("This is the number it was sent to. Use Resend for a new link.", field="address")
    refuse_bad(share.patient_id, index_of(share.practice_id, address))
    was_lost = standing_of(share.patient, share.address).word == "lost-phone"
    if was_lost and standing_of(share.patient, address).word != "verified":
        raise InvalidInput(
            "The phone was reported lost, so the new number must be checked first: text a code to it and let the "
            "patient read it back.",
            field="address",
        )


def _write(share: Share, same: QuerySet[Share]) -> bool:
    """Write the new address where the condition still holds; the columns are sealed as saving would seal them."""
    columns: Any = Share._meta
    names = ("channel", "address", "address_index")
    return bool(same.update(**{name: columns.get_field(name).pre_save(share, False) for name in names}))
