"""Keeping the list of business associates: who they are, what they answered, and what was signed."""

from __future__ import annotations

import hashlib
import uuid
from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from portal.audit import trail
from portal.audit.actor import Actor
from portal.audit.events import REFUSED
from portal.clock import now
from portal.errors import AccessDenied, Conflict, InvalidInput, NotFound
from portal.practice.agreements import associates_of
from portal.practice.models import Agreement, BusinessAssociate
from portal.practice.terms import sealed_terms

YEARS_MAX = 10  # an agreement "for ever" is a typing error or a forgery


def get_associate(practice_id: uuid.UUID, associate_id: uuid.UUID) -> BusinessAssociate:
    """The practice's vendor. Raises `NotFound` for anyone else's."""
    found = associates_of(practice_id).filter(pk=associate_id).first()
    if found is None:
        raise NotFound
    return found


def get_agreement(associate: BusinessAssociate, agreement_id: uuid.UUID) -> Agreement:
    """One of the vendor's agreements. Raises `NotFound`."""
    found = associate.agreements.filter(pk=agreement_id).first()
    if found is None:
        raise NotFound
    return found


def add_associate(*, actor: Actor, **fields: Any) -> BusinessAssociate:
    """Add a vendor. Raises `InvalidInput` where one stands behind this adapter already."""
    if actor.practice is None:
        raise AccessDenied
    try:
        with transaction.atomic():
            associate = BusinessAssociate.objects.create(practice_id=actor.practice, **fields)
            trail.record(
                "associate.added",
                actor=actor,
                subject=str(associate.pk),
                adapter=associate.adapter,
                name=associate.name,
            )
    except IntegrityError:
        raise InvalidInput(
            "There is a business associate for this already. Add the agreement on its page.", field="adapter"
        ) from None
    return associate


def change_associate(associate: BusinessAssociate, *, actor: Actor, **fields: Any) -> None:
    """Correct the name, the contact and the answers; what it stands behind stays."""
    changed = sorted(name for name, value in fields.items() if getattr(associate, name) != value)
    if not changed:
        return
    with transaction.atomic():
        for name in changed:
            setattr(associate, name, fields[name])
        associate.save(update_fields=changed)
        trail.record("associate.changed", actor=actor, subject=str(associate.pk), changed=", ".join(changed))


def add_agreement(
    associate: BusinessAssociate,
    *,
    signed_on: date,
    starts_on: date,
    ends_on: date,
    document: bytes,
    actor: Actor,
) -> Agreement:
    """Record a signed agreement with its document. Raises `InvalidInput` for dates that can't be."""
    days = {"signed_on": signed_on, "starts_on": starts_on, "ends_on": ends_on}
    try:
        _require_possible(**days)
    except InvalidInput:
        told = {name: day.isoformat() for name, day in days.items()}
        trail.record_alone("agreement.added", actor=actor, outcome=REFUSED, adapter=associate.adapter, **told)
        raise
    digest = hashlib.sha256(document).hexdigest()
    with transaction.atomic():
        agreement = Agreement(
            associate=associate,
            signed_on=signed_on,
            starts_on=starts_on,
            ends_on=ends_on,
            document=document,
            document_sha256=digest,
            recorded_by_id=actor.id,
            recorded_at=now(),
        )
        agreement.terms = sealed_terms(agreement)
        agreement.save(force_insert=True)
        trail.record(
            "agreement.added",
            actor=actor,
            subject=str(associate.pk),
            adapter=associate.adapter,
            signed_on=signed_on.isoformat(),
            starts_on=starts_on.isoformat(),
            ends_on=ends_on.isoformat(),
            document_sha256=digest,
        )
    return agreement


def _require_possible(*, signed_on: date, starts_on: date, ends_on: date) -> None:
    if signed_on > now().date():
        raise InvalidInput(
            "The date of signing lies in the future: an agreement counts once it is signed.",
            field="signed_on",
        )
    if ends_on < starts_on:
        raise InvalidInput("It ends before it begins. Check both dates.", field="ends_on")
    if ends_on > starts_on + timedelta(days=366 * YEARS_MAX):
        raise InvalidInput(
            f"It would run for more than {YEARS_MAX} years. Check the last day.", field="ends_on"
        )


def end_agreement(agreement: Agreement, *, actor: Actor) -> None:
    """End it today: from now on nothing goes to the vendor under it. Raises `Conflict` when it has ended."""
    today = now().date()
    with transaction.atomic():
        alive = Agreement.objects.filter(pk=agreement.pk, terminated_on=None, ends_on__gte=today)
        agreement.terminated_on = today
        if not alive.update(terminated_on=today, terms=sealed_terms(agreement)):
            raise Conflict("This agreement has ended already.")
        trail.record(
            "agreement.ended",
            actor=actor,
            subject=str(agreement.associate_id),
            adapter=agreement.associate.adapter,
            ends_on=today.isoformat(),
        )


def read_document(agreement: Agreement, *, actor: Actor) -> bytes:
    """The signed document, and an entry that it was read. Raises `NotFound` where there is none, `VaultDamaged`."""
    if agreement.document is None:
        raise NotFound
    trail.record_alone("agreement.read", actor=actor, subject=str(agreement.associate_id))
    return bytes(agreement.document)
