"""Letting a living share go on: the same link works longer, within the practice's maximum."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import Conflict
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent
from sharing.check_end import check_end
from sharing.liveness import live
from sharing.models import Share


def extend(share: Share, *, expires_at: datetime, actor: Actor) -> None:
    """Move the end of a living share to a later time; nothing is sent.

    Raises `InvalidInput` beyond the practice's maximum, `Conflict` for a share that doesn't live or ends later.
    """
    check_end(share, expires_at, actor=actor)
    with transaction.atomic():
        later = Share.objects.filter(live(now()), pk=share.pk, expires_at__lt=expires_at)
        if not later.update(expires_at=expires_at):
            raise Conflict("Only a link that works can be extended, and only to a later day.")
        trail.record(
            "share.extended",
            actor=actor,
            patient=share.patient_id,
            share=share.pk,
            expires_at=expires_at.isoformat(),
        )
        note(share.disclosure_id, DisclosureEvent.Kind.EXTENDED, expires_at=expires_at.isoformat())
