"""One text after another: a batch of forty leaves as fast as the vendor allows, and no faster.

A turn is reserved by one conditional UPDATE, so two workers never take the same one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from portal.clock import now
from sharing.models import Turn


def reserve_turn(gateway: str) -> datetime:
    """The moment at which one more message may leave; the next caller gets a later one."""
    interval = timedelta(seconds=settings.GATEWAY_INTERVAL_S)
    while True:
        moment = now()
        Turn.objects.bulk_create([Turn(gateway=gateway, next_at=moment)], ignore_conflicts=True)
        known = Turn.objects.values_list("next_at", flat=True).get(pk=gateway)
        mine = max(known, moment)
        if Turn.objects.filter(pk=gateway, next_at=known).update(next_at=mine + interval):
            return mine
