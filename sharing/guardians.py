"""Guardians and what was shared with them: no link of theirs outlives their standing.

A share with a guardian ends with the guardianship at the latest, by its own expiry; ended early, by revoking.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import Conflict, InvalidInput
from portal.records.guardians import end_guardianship, guardian_named, is_adult, last_moment, stands
from portal.records.models import Contact, Disclosure, Patient
from portal.records.rights import Guardianship
from sharing.addresses import folded
from sharing.models import Share
from sharing.revoke import revoke


def guardianship_for(
    patient: Patient, *, recipient_kind: str, name: str, address: str
) -> Guardianship | None:
    """On whose standing this recipient gets the images; None for the patient and for dentists.

    Raises `InvalidInput` for a guardian nobody noted, and for a grown patient at a parent's number.
    """
    if recipient_kind == Disclosure.Recipient.GUARDIAN:
        return guardian_named(patient, name)
    if recipient_kind == Disclosure.Recipient.PATIENT and is_adult(patient):
        _refuse_a_parents_address(patient, address)
    return None


def _refuse_a_parents_address(patient: Patient, address: str) -> None:
    """Who has come of age gets their scans themselves: their parents' telephone is not theirs any more."""
    childhood = Guardianship.objects.filter(patient=patient).exclude(kind=Guardianship.Kind.REPRESENTATIVE)
    if not childhood.exists():
        return
    theirs = patient.contacts.filter(relationship=Contact.Relationship.GUARDIAN)
    if any(folded(contact.value) == address for contact in theirs):
        raise InvalidInput(
            "This is a parent's or guardian's, and the patient is an adult now. Ask for their own.",
            field="address",
        )


def capped(expires_at: datetime, guardianship: Guardianship | None) -> datetime:
    """The time asked for, or the end of the guardianship where that comes first."""
    last = last_moment(guardianship) if guardianship else None
    return min(expires_at, last) if last else expires_at


def check_standing(share: Share, expires_at: datetime) -> None:
    """Before a share goes on until `expires_at`: raises `InvalidInput` beyond the guardianship's end."""
    guardianship = share.disclosure.guardianship
    if guardianship is None:
        return
    last = last_moment(guardianship)
    if not stands(guardianship) or (last and expires_at > last):
        raise InvalidInput(
            "The guardian's standing ends before that. Share with the patient's own number instead.",
            field="expires_at",
        )


def end_guardian(guardianship: Guardianship, *, actor: Actor) -> int:
    """They act no longer: their shares end now, and nobody else's. Returns how many."""
    with transaction.atomic():
        end_guardianship(guardianship, actor=actor)
        theirs = Share.objects.filter(disclosure__guardianship=guardianship, revoked_at=None)
        ended = 0
        for share in theirs.filter(expires_at__gt=now()):
            try:
                revoke(share, actor=actor)
            except Conflict:
                continue
            ended += 1
    return ended
