"""What is due is put into the queue: backups, what lives (every ten minutes when it changed), drills, scrubs."""

from __future__ import annotations

import logging
import time
import uuid
from datetime import timedelta
from threading import Thread

from django.conf import settings
from django.db import connection, transaction

from portal.backups import epoch
from portal.backups.address import is_bucket, target_at
from portal.backups.drill import drill
from portal.backups.leave import may_leave
from portal.backups.models import Run
from portal.backups.scrub import scrub
from portal.backups.snapshot import back_up
from portal.backups.target import Target
from portal.clock import now
from portal.errors import Conflict
from portal.jobs.queue import enqueue
from portal.jobs.run import Lease
from portal.practice.models import Practice
from portal.records.models import Study

LOOK_EVERY_S = 60
RETRY_S = 3600  # a run that failed is tried again after this
EPOCH_EVERY_S = 600
_looked_at = -float(LOOK_EVERY_S)
_renewed_at = -float(EPOCH_EVERY_S)
_renewing: Thread | None = None
log = logging.getLogger(__name__)


def sweep_schedule() -> None:
    """Called every few seconds; looks once a minute."""
    global _looked_at, _renewed_at
    moment = time.monotonic()
    if moment - _looked_at < LOOK_EVERY_S:
        return
    _looked_at = moment
    queue_due()
    if settings.BACKUP_TARGET and moment - _renewed_at >= EPOCH_EVERY_S:
        _renewed_at = moment
        _renew_aside() if is_bucket(settings.BACKUP_TARGET) else renew_epoch()


def queue_due() -> list[str]:
    """Queue what is due; returns the kinds. The demo and an installation without a practice have nothing to lose."""
    if settings.DEMO or not Practice.objects.exists():
        return []
    every = {Run.Kind.SCRUB: timedelta(days=settings.SCRUB_EVERY_DAYS)} if Study.objects.exists() else {}
    if settings.BACKUP_TARGET:
        every[Run.Kind.BACKUP] = timedelta(seconds=settings.BACKUP_EVERY_S)
        if Run.objects.filter(kind=Run.Kind.BACKUP, finished_at__isnull=False).exists():
            every[Run.Kind.DRILL] = timedelta(days=settings.DRILL_EVERY_DAYS)
    due = [kind for kind, interval in every.items() if _is_due(kind, interval)]
    for kind in due:
        with transaction.atomic():
            # One subject a kind: a job that waits or runs for it is found again and no second is made.
            enqueue(str(kind), uuid.uuid5(uuid.NAMESPACE_OID, kind))
    return [str(kind) for kind in due]


def _is_due(kind: Run.Kind, interval: timedelta) -> bool:
    moment = now()
    tried = Run.objects.filter(kind=kind, started_at__gt=moment - timedelta(seconds=RETRY_S))
    good = Run.objects.filter(kind=kind, outcome__in=[Run.Outcome.OK, Run.Outcome.DAMAGED])
    return not tried.exists() and not good.filter(started_at__gt=moment - interval).exists()


def backup_job(subject: uuid.UUID, lease: Lease) -> None:
    """The worker's backup."""
    back_up(configured_target())


def drill_job(subject: uuid.UUID, lease: Lease) -> None:
    """The worker's drill."""
    drill(configured_target())


def scrub_job(subject: uuid.UUID, lease: Lease) -> None:
    """The worker's scrub."""
    scrub()


def configured_target() -> Target:
    """The place of the settings. Raises `Conflict` where there is none."""
    if not settings.BACKUP_TARGET:
        raise Conflict("No place for backups is set. Set SCANPASS_BACKUP_DIR to a folder on another disk.")
    return target_at(settings.BACKUP_TARGET)


def renew_epoch() -> bool:
    """Write what lives now where it has changed since the last time; returns whether it was written.

    Without the agreement it needs nothing leaves; the backup that is due says so in the trail.
    """
    target = configured_target()
    if not may_leave(target):
        return False
    slots = epoch.live_slots()
    if not target.snapshots() or epoch.says_same(target.epoch().read("epoch"), slots):
        return False
    with target.locked():
        epoch.write_epoch(target, slots, now())
    return True


def _renew_aside() -> Thread:
    """The same where a store far away may let one wait for minutes: the sweep has more to do than to wait for it."""
    global _renewing
    if _renewing is None or not _renewing.is_alive():
        _renewing = Thread(target=_renew, daemon=True, name="epoch")
        _renewing.start()
    return _renewing


def _renew() -> None:
    try:
        renew_epoch()
    except Exception as error:
        # The next one is due in ten minutes, and the backup that fails for the same reason says it in words.
        log.warning(
            "what lives could not be written to the backups (%s); it is tried again", type(error).__name__
        )
    finally:
        connection.close()
