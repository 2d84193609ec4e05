"""Letting go of old backups: snapshots after `BACKUP_KEEP_DAYS`, epochs after 35 days, packs that no snapshot names.

Once its last epoch is gone, a shredded study's key is in no backup any more: the horizon on the certificate.
"""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta

from django.conf import settings

from portal.backups.snapshot_index import Index
from portal.backups.target import Target


def prune(target: Target, moment: datetime) -> int:
    """Delete what has had its time; the newest of each always stays. Returns how many sets went.

    A set is renamed aside before it is deleted, so that one that is being deleted is never taken for a whole one.
    """
    gone = _drop(target, "snapshots", target.snapshots(), moment - timedelta(days=settings.BACKUP_KEEP_DAYS))
    if gone:
        _drop_packs(target)
    return gone + _drop(
        target, "epochs", target.epochs(), moment - timedelta(days=settings.SHRED_FINAL_AFTER_DAYS)
    )


def _drop(target: Target, folder: str, names: list[str], before: datetime) -> int:
    old = [name for name in names[:-1] if name.partition("-")[2] < f"{before:%Y%m%dT%H%M%SZ}"]
    target.aside.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in old:
        (target.root / folder / name).rename(target.aside / name)
        shutil.rmtree(target.aside / name)
    return len(old)


def _drop_packs(target: Target) -> None:
    """Packs of no snapshot. A snapshot that can't be read stops it: what it names isn't known."""
    named: set[str] = set()
    for name in target.snapshots():
        named |= set(Index.decode(target.snapshot(name).read("index")).packs)
    objects = target.objects
    for pack in list(objects.names()):
        if pack not in named:
            objects.delete(pack)
