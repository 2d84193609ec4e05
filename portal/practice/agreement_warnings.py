"""Warning before an agreement ends, at 60, 30 and 7 days and on the day after its last, and of forged days."""

from __future__ import annotations

import time
from datetime import date

from django.db import transaction
from django.db.models import Q

from portal.audit import trail
from portal.audit.actor import system
from portal.audit.events import OK, REFUSED
from portal.clock import now
from portal.practice.agreements import WARN_DAYS
from portal.practice.key_vendor import tell_each_day
from portal.practice.models import Agreement
from portal.practice.terms import are_as_recorded

EVERY_S = 3600
CHANGED = -1  # below every number of days, so that it is the last thing said of an agreement
_CODES = {CHANGED: "agreement.forged", 0: "agreement.ended"}
_looked_at = -float(EVERY_S)


def sweep_warnings() -> None:
    """Called every few seconds; looks once an hour."""
    global _looked_at
    if time.monotonic() - _looked_at >= EVERY_S:
        _looked_at = time.monotonic()
        warn()
        tell_each_day()


def warn() -> int:
    """Write every warning that is due and not written yet, each once; returns how many."""
    today = now().date()
    written = 0
    alive = Agreement.objects.filter(terminated_on=None).select_related("associate").defer("document")
    for agreement in alive:
        threshold = _threshold(agreement, today)
        if threshold == CHANGED or (threshold is not None and not _is_renewed(agreement)):
            written += _warn(agreement, threshold)
    return written


def _threshold(agreement: Agreement, today: date) -> int | None:
    if not are_as_recorded(agreement):
        return CHANGED
    days = (agreement.ends_on - today).days + 1
    return next((limit for limit in (0, *reversed(WARN_DAYS)) if days <= limit), None)


def _is_renewed(agreement: Agreement) -> bool:
    later = Agreement.objects.filter(associate=agreement.associate, terminated_on=None)
    return later.filter(ends_on__gt=agreement.ends_on).exists()


def _warn(agreement: Agreement, threshold: int) -> int:
    with transaction.atomic():
        unwarned = Q(warned_at_days=None) | Q(warned_at_days__gt=threshold)
        if not Agreement.objects.filter(unwarned, pk=agreement.pk).update(warned_at_days=threshold):
            return 0
        trail.record(
            _CODES.get(threshold, "agreement.ends-soon"),
            actor=system(agreement.associate.practice_id),
            outcome=REFUSED if threshold == CHANGED else OK,
            adapter=agreement.associate.adapter,
            ends_on=agreement.ends_on.isoformat(),
            days=threshold,
        )
    return 1
