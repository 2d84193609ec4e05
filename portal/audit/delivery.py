"""Giving every place outside the checkpoints it has not got yet, in order."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings

from portal.audit.models import Checkpoint, CheckpointPlace
from portal.audit.places import CannotDeliver, Place, place_of
from portal.clock import now

log = logging.getLogger(__name__)

# So many in one turn: after a long absence a place catches up without holding up the sweep.
_AT_ONCE = 20
# A place that refuses is left alone for so long.
_RETRY_S = 60


def deliver() -> None:
    """Bring every place up to date; one that is away does not keep the others waiting."""
    for address in settings.CHECKPOINT_PLACES:
        place = place_of(address)
        row, _ = CheckpointPlace.objects.get_or_create(name=place.name)
        if not rests(row):
            _catch_up(place, row)


def rests(row: CheckpointPlace) -> bool:
    """Whether a place refused so lately that it is left alone."""
    if not row.failure or row.tried_at is None:
        return False
    return now() - row.tried_at < timedelta(seconds=_RETRY_S)


def _catch_up(place: Place, row: CheckpointPlace) -> None:
    rows = CheckpointPlace.objects.filter(pk=row.pk)
    for checkpoint in Checkpoint.objects.filter(sequence__gt=row.sequence).order_by("sequence")[:_AT_ONCE]:
        try:
            place.put(checkpoint.sequence, checkpoint.note)
        except CannotDeliver as refusal:
            log.warning("checkpoint %d could not be delivered: %s", checkpoint.sequence, refusal)
            rows.update(tried_at=now(), failure=str(refusal)[:200])
            return
        moment = now()
        rows.update(sequence=checkpoint.sequence, tried_at=moment, delivered_at=moment, failure="")
