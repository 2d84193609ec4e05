"""Forwarding every entry to a collector of the practice, as DICOM audit messages; at least once, in order.

How far each chain has come stands in a row, raised after a batch has left. After a broken connection the batch is sent
again: a collector tells a repeated message by its practice and event time.
"""

from __future__ import annotations

import logging
from uuid import UUID

from django.conf import settings

from portal.audit.delivery import rests
from portal.audit.exports.syslog_tls import Collector
from portal.audit.exports.told import tell
from portal.audit.models import AuditEntry, AuditHead, CheckpointPlace
from portal.clock import now

log = logging.getLogger(__name__)

_AT_ONCE = 500


def sweep_forwarding() -> None:
    """Send what each chain has gained, if the settings name a collector."""
    if settings.AUDIT_COLLECTOR:
        for practice in AuditHead.objects.order_by("practice_id").values_list("practice_id", flat=True):
            if not _forward(practice):
                # It is away for the other chains too.
                return


def _forward(practice: UUID) -> bool:
    row, _ = CheckpointPlace.objects.get_or_create(name=f"collector, chain {practice}")
    if rests(row):
        return False
    entries = list(
        AuditEntry.objects.filter(practice_id=practice, n__gt=row.sequence).order_by("n")[:_AT_ONCE]
    )
    if not entries:
        return True
    rows = CheckpointPlace.objects.filter(pk=row.pk)
    try:
        _send(entries)
    except OSError as error:
        log.warning("the audit collector can't be reached (%s)", type(error).__name__)
        rows.update(tried_at=now(), failure=f"the collector can't be reached ({type(error).__name__})")
        return False
    moment = now()
    rows.update(sequence=entries[-1].n, tried_at=moment, delivered_at=moment, failure="")
    return True


def _send(entries: list[AuditEntry]) -> None:
    ca_file = settings.AUDIT_COLLECTOR_CA or None
    with Collector.at(
        settings.AUDIT_COLLECTOR, origin=settings.PUBLIC_BASE_URL, ca_file=ca_file
    ) as collector:
        for told in tell(entries):
            collector.send(told)
