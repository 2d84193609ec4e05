"""Reasons not to release: to one person, or, of a restricted or deceased patient, to anyone without the privacy
officer's word for each share.

Source: 45 CFR 164.522(a), 164.502(f) and (g)(4), 164.510(b)(5).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Q

from portal.audit import trail
from portal.audit.actor import Actor
from portal.audit.events import REFUSED
from portal.clock import now
from portal.errors import Conflict, InvalidInput, NotFound
from portal.records.folding import fold_name, to_e164, to_email
from portal.records.models import Patient
from portal.records.rights import Hold, open_holds

PERMIT: Final = timedelta(hours=24)
REASON_CHARS_MAX: Final = 300


class Held(InvalidInput):
    """A hold stands in the way; the sentence tells the desk which, and why."""

    title = "Do not release"


def place_hold(
    patient: Patient, *, kind: str, reason: str, name: str = "", address: str = "", actor: Actor
) -> Hold:
    """Write the hold down. What was shared before is stopped by `sharing.suspension`. Raises `InvalidInput`."""
    if patient.practice_id != actor.practice or actor.id is None:
        raise NotFound
    if kind not in Hold.Kind.values:
        raise InvalidInput("Choose one of the options.", field="kind")
    name = " ".join(name.split())
    if kind == Hold.Kind.PERSON and not fold_name(name):
        raise InvalidInput("Enter the name of the person.", field="name")
    hold = Hold(
        practice_id=patient.practice_id,
        patient=patient,
        kind=kind,
        name=name or None,
        address=_one_form(address) or None,
        reason=checked_reason(reason),
        created_at=now(),
        created_by_id=actor.id,
    )
    try:
        with transaction.atomic():
            hold.save(force_insert=True)
            private = {"name": name, "reason": hold.reason}
            trail.record("hold.placed", actor=actor, patient=patient.pk, private=private, kind=kind)
    except IntegrityError:
        raise Conflict("This hold stands already.") from None
    return hold


def checked_reason(reason: str) -> str:
    """The reason in its one form. Raises `InvalidInput`: a hold, and ending one, need a reason."""
    reason = " ".join(reason.split())
    if not 5 <= len(reason) <= REASON_CHARS_MAX:
        raise InvalidInput("Write down why, in a few words.", field="reason")
    return reason


def _one_form(address: str) -> str:
    address = address.strip()
    if not address:
        return ""
    return to_email(address, field="address").lower() if "@" in address else to_e164(address, field="address")


def lift_hold(hold: Hold, *, reason: str, actor: Actor) -> None:
    """The reason is gone. Raises `Conflict` when it was lifted already."""
    _check_own(hold, actor)
    reason = checked_reason(reason)
    with transaction.atomic():
        if not Hold.objects.filter(pk=hold.pk, lifted_at=None).update(lifted_at=now(), lifted_by_id=actor.id):
            raise Conflict("This hold was lifted already.")
        trail.record(
            "hold.lifted", actor=actor, patient=hold.patient_id, private={"reason": reason}, kind=hold.kind
        )


def permit_one(hold: Hold, *, reason: str, actor: Actor) -> None:
    """The privacy officer allows one share of a restricted patient, within a day. Raises `Conflict`."""
    _check_own(hold, actor)
    reason = checked_reason(reason)
    with transaction.atomic():
        held = Hold.objects.filter(pk=hold.pk, lifted_at=None).exclude(kind=Hold.Kind.PERSON)
        if not held.update(permitted_until=now() + PERMIT):
            raise Conflict("Only a restricted patient's shares can be allowed one by one.")
        trail.record(
            "hold.permitted", actor=actor, patient=hold.patient_id, private={"reason": reason}, kind=hold.kind
        )


def _check_own(hold: Hold, actor: Actor) -> None:
    if hold.practice_id != actor.practice or actor.id is None:
        raise NotFound


def pass_holds(patient: Patient, *, name: str, address: str) -> None:
    """Before a share is made, in its transaction: raises `Held`; a permission is used up by one conditional UPDATE."""
    for hold in open_holds(patient).order_by("created_at"):
        if hold.kind == Hold.Kind.PERSON:
            if names_them(hold, name, address):
                raise _held(hold)
        elif not Hold.objects.filter(_permitted(), pk=hold.pk).update(permitted_until=None):
            raise _held(hold)


def note_if_held(patient: Patient, *, name: str, address: str, actor: Actor) -> None:
    """The same before the transaction, so that the entry of a refused try stays. Raises `Held`."""
    for hold in open_holds(patient).order_by("created_at"):
        if hold.kind == Hold.Kind.PERSON:
            is_held = names_them(hold, name, address)
        else:
            is_held = not Hold.objects.filter(_permitted(), pk=hold.pk).exists()
        if is_held:
            trail.record_alone(
                "hold.refused", actor=actor, outcome=REFUSED, patient=patient.pk, private={"name": name}
            )
            raise _held(hold)


def refuse_person(patient: Patient, *, name: str, address: str) -> None:
    """Before a link goes to another address: raises `Held` for a person who must not have it."""
    for hold in open_holds(patient).filter(kind=Hold.Kind.PERSON):
        if names_them(hold, name, address):
            raise _held(hold)


def _held(hold: Hold) -> Held:
    if hold.kind == Hold.Kind.PERSON:
        return Held(f"Do not release to this person. Reason: {hold.reason}", field="recipient_name")
    return Held(f"{hold.get_kind_display()}. Reason: {hold.reason}")


def _permitted() -> Q:
    return Q(lifted_at=None, permitted_until__gt=now())


def names_them(hold: Hold, name: str, address: str) -> bool:
    """Whether name or address are those of the person in the hold; a middle name more or less doesn't matter."""
    if hold.address and hold.address == address:
        return True
    held, given = _parts(hold.name or ""), _parts(name)
    return bool(held and given) and (held <= given or given <= held)


def _parts(name: str) -> set[str]:
    return {fold_name(part) for part in name.split() if fold_name(part)}
