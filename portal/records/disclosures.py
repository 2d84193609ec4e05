"""Writing the disclosure record: one row when a share is made, one more for each thing that happens to it."""

from __future__ import annotations

from typing import Any

from django.db import connection

from portal.audit.actor import Actor
from portal.clock import now
from portal.records.models import Disclosure, DisclosureEvent, Patient
from portal.records.rights import Guardianship

_ACCOUNTING = {
    Disclosure.Recipient.PATIENT: Disclosure.Accounting.EXEMPT_INDIVIDUAL,
    # A parent or guardian is the personal representative (45 CFR 164.502(g)): treated as the individual.
    Disclosure.Recipient.GUARDIAN: Disclosure.Accounting.EXEMPT_INDIVIDUAL,
    Disclosure.Recipient.DENTIST: Disclosure.Accounting.EXEMPT_TREATMENT,
}


def disclose(
    patient: Patient,
    *,
    recipient_kind: str,
    recipient_name: str,
    recipient_address: str,
    purpose: str,
    description: str,
    consent: bool,
    allows_download: bool,
    actor: Actor,
    guardianship: Guardianship | None = None,
) -> Disclosure:
    """Write a disclosure into the patient's record, in the transaction of the act that discloses."""
    if not connection.in_atomic_block:
        raise RuntimeError("a disclosure is written in the transaction of its act")
    return Disclosure.objects.create(
        practice_id=patient.practice_id,
        patient=patient,
        recipient_kind=recipient_kind,
        recipient_name=recipient_name,
        recipient_address=recipient_address,
        purpose=purpose,
        accounting=_accounting(recipient_kind, actor),
        description=description,
        consent=consent,
        allows_download=allows_download,
        disclosed_by_id=actor.id if actor.kind == "staff" else None,
        disclosed_at=now(),
        guardianship=guardianship,
    )


def _accounting(recipient_kind: str, actor: Actor) -> str:
    """45 CFR 164.528(a)(1): what the individual sends on is by their own authorization."""
    if actor.kind == "recipient":
        return Disclosure.Accounting.EXEMPT_AUTHORIZED
    return _ACCOUNTING[Disclosure.Recipient(recipient_kind)]


def note(disclosure_id: Any, kind: str, **facts: Any) -> DisclosureEvent:
    """Add what happened, in the transaction in which it happened."""
    if not connection.in_atomic_block:
        raise RuntimeError("what happened to a disclosure is written in the transaction in which it happened")
    return DisclosureEvent.objects.create(disclosure_id=disclosure_id, kind=kind, at=now(), facts=facts)
