"""Restoring into an empty state, from a backup and the key file alone.

Whatever can't be restored whole is named with the studies it hits. Afterwards nothing that was open is open: every
share is locked until the desk opens it, what was revoked since stays revoked, sessions and messages are ended.

Source: 45 CFR 164.308(a)(7)(ii)(B), disaster recovery plan.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from portal.audit import kept
from portal.backups import epoch, runs
from portal.backups.frozen import is_empty, thaw
from portal.backups.models import Run
from portal.backups.sealed_set import SealedSet
from portal.backups.snapshot import free_bytes
from portal.backups.snapshot_index import Backed, Index
from portal.backups.target import Objects, Target
from portal.backups.work import work_folder
from portal.errors import Conflict, StorageFull, VaultDamaged
from portal.records.vault import vault
from portal.sealed.keys import forget_keys
from portal.vault.disk import fsync_folder
from portal.vault.store import Store

# Named by string because they stand to the right: each gets the revoked shares' ids and returns what it did.
AFTERWARDS: Final = ("sharing.after_restore.close_all",)


@dataclass
class Restored:
    """What a restore did. `hit` are the ids of studies (or groups in quarantine) that lack something."""

    snapshot: str = ""
    made_at: str = ""
    epoch_at: str = ""
    packs: int = 0
    length_bytes: int = 0
    damaged: dict[str, str] = field(default_factory=dict)
    hit: list[str] = field(default_factory=list)
    shredded: int = 0
    closed: dict[str, int] = field(default_factory=dict)
    config: dict[str, str] = field(default_factory=dict)
    seconds: float = 0


def restore(
    target: Target,
    *,
    snapshot: str | None = None,
    epoch_name: str | None = None,
    say: Callable[[str], object] = print,
) -> Restored:
    """Restore the newest snapshot, or the one named, into the state of the settings; call it with the state claimed.

    One that was interrupted after its database was loaded goes on: packs that are back and whole aren't fetched again.
    Raises `Conflict` where there is anything already, `NotFound` without a backup, `VaultDamaged` when the database,
    the index or the keys of this backup can't be read, `Sealed` without a key, `StorageFull`.
    """
    began, begun = time.monotonic(), _begun()
    if not begun:
        _refuse_unless_empty()
    chosen = target.snapshot(snapshot or begun or None)
    _refuse_other_snapshot(begun, chosen)
    index = Index.decode(chosen.read("index"))
    alive = target.epoch(epoch_name)
    slots = alive.read("epoch")
    _refuse_other_engine(index)
    _refuse_without_room(index)
    done = Restored(chosen.name, chosen.made_at.isoformat(), alive.made_at.isoformat(), config=index.config)
    if not begun:
        # From here on there is something to see; a start refuses while the mark lies there.
        unfinished().touch()
        _load_database(chosen)
        _mark_loaded(chosen)
    _bring_up_to_date()
    say("The database is back.")
    _copy_back(target, index, done)
    _put_in_order(slots, done)
    done.seconds = round(time.monotonic() - began, 3)
    _write_down(done)
    unfinished().unlink()
    # What was tried on this machine before its trail was back.
    kept.tell()
    return done


def unfinished() -> Path:
    """Lies in the state while a restore isn't finished; names the snapshot once its database is loaded."""
    return Path(settings.STATE_DIR) / "restoring"


def _begun() -> str:
    """The snapshot with which an interrupted restore can go on; empty when there is none."""
    return unfinished().read_text() if unfinished().exists() else ""


def _mark_loaded(chosen: SealedSet) -> None:
    aside = unfinished().with_name("restoring.new")
    aside.write_text(chosen.name)
    with aside.open("rb+") as file:
        os.fsync(file.fileno())
    aside.rename(unfinished())
    fsync_folder(unfinished().parent)


def _refuse_other_snapshot(begun: str, chosen: SealedSet) -> None:
    if begun and chosen.name != begun:
        raise Conflict(
            f"A restore of the backup {begun} into {settings.STATE_DIR} was begun. Go on with that one, or empty that"
            " folder (and the database) first; the backup is untouched."
        )


def _refuse_unless_empty() -> None:
    if unfinished().exists():
        raise Conflict(
            f"A restore into {settings.STATE_DIR} did not finish loading its database. Empty that folder (and the"
            " database), then restore again; the backup is untouched."
        )
    if not is_empty() or any(True for _ in vault().names()):
        raise Conflict(
            f"There is data in {settings.STATE_DIR} already. Restore only into an empty folder and an empty database:"
            " name another with SCANPASS_STATE, or move the old one aside."
        )


def _refuse_other_engine(index: Index) -> None:
    if index.engine != connection.vendor:
        raise Conflict(
            f"This backup is of {index.engine}, and DATABASE_URL names {connection.vendor}."
            f" Set DATABASE_URL to an empty {index.engine} database."
        )


def _refuse_without_room(index: Index) -> None:
    free, here = free_bytes(Path(settings.VAULT_DIR)), vault()
    needed = sum(pack.length for name, pack in index.packs.items() if here.length(name) != pack.length)
    if free < needed:
        raise StorageFull(
            f"The images need {needed >> 20} MB, and {free >> 20} MB are free in {settings.VAULT_DIR}."
            " Nothing was restored. Choose a larger disk with SCANPASS_STATE or SCANPASS_VAULT."
        )


def _load_database(chosen: SealedSet) -> None:
    with work_folder(Path(settings.STATE_DIR), "backup-work") as work:
        dump = work / "database"
        with dump.open("wb") as file:
            for chunk in chosen.chunks("database"):
                file.write(chunk)
        thaw(dump)


def _bring_up_to_date() -> None:
    forget_keys()
    call_command("migrate", interactive=False, verbosity=0)


def _copy_back(target: Target, index: Index, done: Restored) -> None:
    here, there = vault(), target.objects
    done.damaged.update(index.missing)
    for name, wanted in index.packs.items():
        if not copy_back(name, wanted, here=here, there=there):
            done.damaged[name] = wanted.owner
            continue
        done.packs += 1
        done.length_bytes += wanted.length
    done.hit = sorted(set(done.damaged.values()))


def copy_back(name: str, wanted: Backed, *, here: Store, there: Objects) -> bool:
    """Copy one pack; False when the backup's copy is gone, cut or changed. Then nothing of it stays."""
    if there.length(name) != wanted.length:
        return False
    try:
        # What an interrupted restore brought back: read once, to know that it is whole.
        if here.length(name) == wanted.length and here.digest(name).sha256 == wanted.sha256:
            return True
        copied = there.give(name, here)
    except VaultDamaged:
        return False
    if copied.sha256 == wanted.sha256:
        return True
    here.delete(name)
    return False


def _put_in_order(slots: bytes, done: Restored) -> None:
    """Each step can be done twice; the mark in the state says that not all is done yet."""
    _, done.shredded = epoch.apply_slots(slots)
    for path in AFTERWARDS:
        done.closed |= epoch.named(path)(epoch.revoked_in(slots))
    done.closed["uploads"] = _close_uploads()


def _close_uploads() -> int:
    """What was on its way lay in the spool, which is in no backup: it has to be sent again."""
    from portal.jobs.models import Job
    from portal.records.models import Upload

    waiting = [Job.State.QUEUED, Job.State.RUNNING]
    Job.objects.filter(state__in=waiting).update(state=Job.State.FAILED, failure="Ended by a restore.")
    under_way = [Upload.State.RECEIVING, Upload.State.WAITING]
    told = ["These images were not stored yet when the backup was made. Please send them again."]
    return Upload.objects.filter(state__in=under_way).update(state=Upload.State.FAILED, notices=told)


def _write_down(done: Restored) -> None:
    run = runs.begin(Run.Kind.RESTORE)
    sentence = f"Restored from the backup of {done.made_at[:16].replace('T', ' ')} UTC."
    if done.hit:
        sentence += f" {len(done.hit)} studies lack images that the backup had lost."
    runs.end(
        run,
        Run.Outcome.DAMAGED if done.hit else Run.Outcome.OK,
        sentence,
        snapshot=done.snapshot,
        made_at=done.made_at,
        packs=done.packs,
        length_bytes=done.length_bytes,
        seconds=done.seconds,
        shredded=done.shredded,
        hit=done.hit,
        **done.closed,
    )
