"""Stopping a patient's shares for the time being, and letting them go on: restricted and deceased patients.

A suspended share's next batch is refused like a revoked one's, but it can come back: only its recipient's
sessions are over.
"""

from __future__ import annotations

from typing import Final

from django.db import transaction

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.records.disclosures import note
from portal.records.holds import lift_hold, names_them, place_hold
from portal.records.models import DisclosureEvent, Patient
from portal.records.rights import Hold, open_holds
from sharing.models import Share
from sharing.revoke import revoke
from sharing.sessions import end_all

BECAUSE: Final = "hold"


def hold_back(
    patient: Patient, *, kind: str, reason: str, name: str = "", address: str = "", actor: Actor
) -> int:
    """Place a hold and stop what it forbids, at once; returns how many shares.

    Shares with a person who must not have them are revoked for good; of a restricted patient all are suspended.
    """
    with transaction.atomic():
        hold = place_hold(patient, kind=kind, reason=reason, name=name, address=address, actor=actor)
        if kind == Hold.Kind.PERSON:
            return _revoke_theirs(hold, actor)
        return suspend_all(patient, actor=actor)


def _revoke_theirs(hold: Hold, actor: Actor) -> int:
    shares = Share.objects.filter(patient_id=hold.patient_id, revoked_at=None, expires_at__gt=now())
    theirs = [
        share
        for share in shares.select_related("disclosure")
        if names_them(hold, share.disclosure.recipient_name, share.address)
    ]
    for share in theirs:
        revoke(share, actor=actor)
    return len(theirs)


def suspend_all(patient: Patient, *, actor: Actor) -> int:
    """Suspend every share of the patient that isn't over; returns how many."""
    moment, count = now(), 0
    with transaction.atomic():
        for share in Share.objects.filter(patient=patient, revoked_at=None, expires_at__gt=moment):
            if not Share.objects.filter(pk=share.pk, suspended_at=None).update(
                suspended_at=moment, suspended_for=BECAUSE
            ):
                continue
            end_all(share, moment)
            trail.record("share.suspended", actor=actor, patient=patient.pk, share=share.pk)
            note(share.disclosure_id, DisclosureEvent.Kind.SUSPENDED)
            count += 1
    return count


def release_hold(hold: Hold, *, reason: str, actor: Actor) -> int:
    """Lift a hold; when no other restricts the patient, the shares it stopped go on. Returns how many."""
    with transaction.atomic():
        lift_hold(hold, reason=reason, actor=actor)
        still_held = open_holds(hold.patient).exclude(kind=Hold.Kind.PERSON).exists()
        return 0 if still_held or hold.kind == Hold.Kind.PERSON else _resume_all(hold.patient, actor)


def _resume_all(patient: Patient, actor: Actor) -> int:
    count = 0
    for share in Share.objects.filter(patient=patient, suspended_for=BECAUSE, suspended_at__isnull=False):
        Share.objects.filter(pk=share.pk).update(suspended_at=None, suspended_for="")
        trail.record("share.resumed", actor=actor, patient=patient.pk, share=share.pk)
        note(share.disclosure_id, DisclosureEvent.Kind.RESUMED)
        count += 1
    return count
