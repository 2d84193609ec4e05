"""Letting go of old backups: snapshots after `BACKUP_KEEP_DAYS`, epochs after 35 days, packs that no snapshot names.

Once its last epoch is gone, a shredded study's key is in no backup any more: the horizon on the certificate.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from portal.backups.snapshot_index import Index
from portal.backups.target import Target


def prune(target: Target, moment: datetime) -> int:
    """Delete what has had its time; the newest of each always stays. Returns how many sets went. Raises `Refused`."""
    # The keys first: where only some of it may be deleted, nothing is kept from being destroyed by that.
    keys = _drop(target, "epoch", moment - timedelta(days=settings.SHRED_FINAL_AFTER_DAYS))
    gone = _drop(target, "snapshot", moment - timedelta(days=settings.BACKUP_KEEP_DAYS))
    if gone:
        _drop_packs(target)
    return keys + gone


def _drop(target: Target, kind: str, before: datetime) -> int:
    old = [name for name in target.names(kind)[:-1] if name.partition("-")[2] < f"{before:%Y%m%dT%H%M%SZ}"]
    for name in old:
        target.drop(kind, name)
    return len(old)


def _drop_packs(target: Target) -> None:
    """Packs of no snapshot. A snapshot that can't be read stops it: what it names isn't known."""
    named: set[str] = set()
    for name in target.snapshots():
        named |= set(Index.decode(target.snapshot(name).read("index")).packs)
    objects = target.objects
    for pack in list(objects.names(older_than_s=target.spare_s)):
        if pack not in named:
            objects.delete(pack)
