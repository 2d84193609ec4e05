"""When sealed data fails a check: an entry in the trail, and nothing shown."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from portal.audit import trail
from portal.audit.events import FAILED
from portal.errors import VaultDamaged
from sharing.access import Grant


@contextmanager
def recording_damage(grant: Grant, series: uuid.UUID | None = None) -> Iterator[None]:
    """Write into the trail that something of the study can't be trusted any more, then let the error go on."""
    try:
        yield
    except VaultDamaged as error:
        trail.record_alone(
            "vault.damaged",
            actor=grant.actor,
            outcome=FAILED,
            patient=grant.study.patient_id,
            study=grant.study.pk,
            series=series,
            share=grant.share_id,
            reason=error.reason,
        )
        raise
