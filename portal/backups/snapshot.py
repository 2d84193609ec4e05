"""Making a backup: the database at a moment, the packs it names, and what lives.

Packs are written once under random names, so a pack that is in the backup with the length it has here is the same
pack: it is neither read nor copied again. Whether its bytes are still good, here or there, is the scrub's and the
drill's to find.

Source: 45 CFR 164.308(a)(7)(ii)(A), data backup plan; 164.310(d)(2)(iv).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection

from portal.backups import epoch, runs
from portal.backups.frozen import Frozen, frozen
from portal.backups.keys import make_backup_keyring
from portal.backups.leave import Permission
from portal.backups.models import Run
from portal.backups.pruning import prune
from portal.backups.snapshot_index import Backed, Index
from portal.backups.target import Refused, Target
from portal.backups.work import work_folder
from portal.clock import now
from portal.errors import NotFound, ScanpassError, VaultDamaged
from portal.records.vault import vault


@dataclass
class _Copying:
    """What became of the packs."""

    packs: dict[str, Backed] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    copied: int = 0
    copied_bytes: int = 0
    is_pruned: bool = True


def back_up(target: Target) -> Run:
    """Make a backup. What goes wrong is written down, and then raised; backups made before stay as they are.

    Raises `Conflict` (another one is being written), `AccessDenied` (no agreement), `StorageFull`, `Sealed`.
    """
    run = runs.begin(Run.Kind.BACKUP)
    try:
        permission = Permission(target)
        make_backup_keyring(away_from=target.root)
        with target.locked(), work_folder(Path(settings.STATE_DIR), "backup-work") as work:
            runs.close_killed(run)
            with frozen(work) as moment:
                return _write(run, target, moment, permission)
    except ScanpassError as error:
        runs.end(run, Run.Outcome.FAILED, error.sentence)
        raise


def _write(run: Run, target: Target, moment: Frozen, permission: Permission) -> Run:
    made_at = now()
    done = _copy_packs(target, moment.packs, permission)
    index = Index(
        engine=connection.vendor,
        packs=done.packs,
        missing=done.missing,
        heads=moment.heads,
        kek_versions=moment.kek_versions,
        config=_config(),
    )
    with target.new_set("snapshot", made_at) as snapshot:
        snapshot.add_file("database", moment.dump)
        snapshot.add_bytes("index", index.encode())
        # The keys first: a snapshot without them could not be opened, an epoch too many does no harm.
        epoch.write_epoch(target, moment.slots, made_at)
        name = target.publish(snapshot)
    done.is_pruned = _pruned(target, made_at)
    return runs.end(
        run,
        Run.Outcome.DAMAGED if done.missing else Run.Outcome.OK,
        _sentence(done),
        snapshot=name,
        packs=len(done.packs),
        length_bytes=index.length_bytes,
        copied=done.copied,
        copied_bytes=done.copied_bytes,
        kek_versions=moment.kek_versions,
        missing=sorted(set(done.missing.values())),
    )


def _pruned(target: Target, made_at: datetime) -> bool:
    """Let go of what has had its time. A bucket that keeps everything is told of, and is no failure of the backup."""
    try:
        prune(target, made_at)
    except Refused:
        return False
    return True


def _sentence(done: _Copying) -> str:
    if not done.missing:
        kept = (
            "" if done.is_pruned else " Old backups may not be deleted there: let a rule of the bucket do it."
        )
        return f"{len(done.packs)} packs are in the backup, {done.copied} of them new.{kept}"
    return (
        f"The backup was made, but the vault has lost {len(done.missing)} packs of"
        f" {len(set(done.missing.values()))} studies. Restore those studies from an older backup."
    )


def _copy_packs(target: Target, wanted: dict[str, str], permission: Permission) -> _Copying:
    here, there, known = vault(), target.objects, _known(target)
    done = _Copying()
    for name, owner in wanted.items():
        before, length = known.get(name), here.length(name)
        # What the vault has lost and a backup still holds stays in the backup.
        if before and before.length == there.length(name) and length in (before.length, None):
            done.packs[name] = Backed(before.length, before.sha256, owner)
            continue
        permission.ask()
        # A backup that was interrupted left it there whole: it is hashed here, and doesn't travel again.
        lies_there = length is not None and length == there.length(name)
        try:
            copied = here.digest(name) if lies_there else there.take(name, here)
        except VaultDamaged:
            done.missing[name] = owner
            continue
        done.packs[name] = Backed(copied.length, copied.sha256, owner)
        if not lies_there:
            done.copied += 1
            done.copied_bytes += copied.length
    return done


def _known(target: Target) -> dict[str, Backed]:
    """The packs of the newest backup that can be read."""
    for name in reversed(target.snapshots()):
        try:
            return Index.decode(target.snapshot(name).read("index")).packs
        except (VaultDamaged, NotFound):
            continue
    return {}


def _config() -> dict[str, str]:
    """What an installation was set to, for the person who sets it up anew. No secret is among it."""
    return {
        "SCANPASS_PUBLIC_BASE_URL": settings.PUBLIC_BASE_URL,
        "SCANPASS_GATEWAY": settings.GATEWAY,
        "SCANPASS_TRUSTED_PROXIES": str(settings.TRUSTED_PROXIES),
        "SCANPASS_PHONE_REGION": settings.PHONE_REGION,
        "SCANPASS_DEMO": str(int(settings.DEMO)),
    }


def free_bytes(folder: Path) -> int:
    """Free room where `folder` is or would be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
