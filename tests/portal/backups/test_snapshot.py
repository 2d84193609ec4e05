"""Making a backup: whole or not there, incremental, sealed, and told in words when it can't be made."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.backups import runs, schedule
from portal.backups.folder import FolderTarget
from portal.backups.models import Run
from portal.backups.needs import needed_by_backups
from portal.backups.sealed_set import SetWriter
from portal.backups.snapshot import back_up
from portal.backups.work import work_folder
from portal.clock import now
from portal.errors import AccessDenied, Conflict, NotFound, Sealed, StorageFull, VaultDamaged
from portal.jobs.models import Job
from portal.jobs.run import run as run_job
from portal.practice.models import Practice
from portal.records.models import Patient, VaultPack
from portal.records.vault import vault
from portal.sealed.keys import shred_study_key
from portal.sealed.models import StudyKey
from portal.sealed.rotation import needed_by
from tests.conftest import MovableClock
from tests.portal.backups.conftest import index_of, pack_files, packs_here
from tests.viewer.conftest import Stored, made_study

pytestmark = pytest.mark.django_db(transaction=True)


# --- what is in it -------------------------------------------------------------------------------------------------


def test_r8_backup_holds_every_pack_and_says_whose_it_is(target: FolderTarget, kept: Stored) -> None:
    run = back_up(target)
    index = index_of(target)
    assert run.outcome == Run.Outcome.OK
    assert set(index.packs) == set(VaultPack.objects.values_list("name", flat=True)) == packs_here()
    assert {pack.owner for pack in index.packs.values()} == {str(kept.study.pk)}
    assert {path.name: path.stat().st_size for path in pack_files(target)} == {
        name: pack.length for name, pack in index.packs.items()
    }


def test_every_practice_reads_of_it_in_its_trail(
    target: FolderTarget, kept: Stored, bright: Practice
) -> None:
    back_up(target)
    told = AuditEntry.objects.filter(code="backup.made", outcome="ok")
    assert set(told.values_list("practice_id", flat=True)) == {kept.study.practice_id, bright.pk}


def test_r8_keys_are_kept_apart(target: FolderTarget, kept: Stored) -> None:
    back_up(target)
    slot = StudyKey.objects.get(study_id=kept.study.pk)
    dump = b"".join(target.snapshot().chunks("database"))
    assert bytes(slot.wrapped) not in dump
    assert len(dump) > 10_000
    slots = json.loads(target.epoch().read("epoch"))["slots"]
    assert [row[0] for row in slots] == [str(slot.pk)]


def test_nothing_of_it_is_in_clear(target: FolderTarget, kept: Stored, pat: Patient) -> None:
    back_up(target)
    planted = [b"scanpass", b"Smile Dental", b"auditentry", str(kept.study.pk).encode(), kept.study.pk.bytes]
    for path in target.root.rglob("*"):
        if path.is_file() and path.name != "header.json":
            content = path.read_bytes()
            assert not [word for word in planted if word in content], path


# --- incremental ---------------------------------------------------------------------------------------------------


def test_unchanged_vault_is_not_read_again(
    target: FolderTarget, kept: Stored, count_reads: Callable[[], list[str]]
) -> None:
    back_up(target)
    assert sorted(count_reads()) == sorted(packs_here()), "each pack once"
    assert back_up(target).facts["copied"] == 0
    assert len(count_reads()) == len(packs_here())


def test_only_what_is_new_is_copied(target: FolderTarget, kept: Stored, pat: Patient) -> None:
    back_up(target)
    before = packs_here()
    made_study(pat)
    run = back_up(target)
    assert run.facts["copied"] == len(packs_here() - before) > 0
    assert run.facts["packs"] == len(packs_here())


def test_pack_cut_in_the_backup_is_copied_again(target: FolderTarget, kept: Stored) -> None:
    back_up(target)
    cut = pack_files(target)[0]
    cut.chmod(0o600)
    os.truncate(cut, 50)
    assert back_up(target).facts["copied"] == 1
    assert cut.stat().st_size == vault().length(cut.name)


def test_what_the_vault_lost_stays_in_the_backup(target: FolderTarget, kept: Stored) -> None:
    back_up(target)
    lost = next(iter(packs_here()))
    vault().delete(lost)
    run = back_up(target)
    assert run.outcome == Run.Outcome.OK
    assert lost in index_of(target).packs


def test_what_was_lost_before_any_backup_is_named_by_study(target: FolderTarget, kept: Stored) -> None:
    vault().delete(next(iter(packs_here())))
    run = back_up(target)
    assert run.outcome == Run.Outcome.DAMAGED
    assert run.facts["missing"] == [str(kept.study.pk)]
    assert "Restore those studies" in run.sentence


# --- bad days ------------------------------------------------------------------------------------------------------


def test_disk_full_leaves_the_backups_before_it_whole(
    target: FolderTarget, kept: Stored, pat: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(target)
    made_study(pat)
    write = os.write

    def full(fd: int, data: Any) -> int:
        if len(data) > 1000:
            raise OSError(errno.ENOSPC, "full")
        return write(fd, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(StorageFull):
            back_up(target)
    failed = Run.objects.get(outcome=Run.Outcome.FAILED)
    assert "disk is full" in failed.sentence
    assert AuditEntry.objects.filter(code="backup.made", outcome="failed").exists()
    assert len(target.snapshots()) == 1
    index_of(target)
    assert back_up(target).outcome == Run.Outcome.OK


def test_killed_backup_is_no_backup_and_the_next_one_goes_on(
    target: FolderTarget, kept: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(self: FolderTarget, written: SetWriter) -> str:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(FolderTarget, "publish", killed)
        with pytest.raises(Killed):
            back_up(target)
    with pytest.raises(NotFound, match="no finished backup"):
        target.snapshot()
    left = Path(django_settings.STATE_DIR) / "backup-work"
    left.mkdir()
    (left / "database").write_bytes(b"what kill -9 left")
    assert back_up(target).outcome == Run.Outcome.OK
    assert not left.exists()
    assert sorted(Run.objects.values_list("outcome", flat=True)) == ["failed", "ok"]
    told = AuditEntry.objects.filter(code="backup.made", practice_id=kept.study.practice_id).order_by("n")
    assert list(told.values_list("outcome", flat=True)) == ["failed", "ok"]


def test_two_at_once_take_turns_in_words(target: FolderTarget, kept: Stored) -> None:
    with target.locked(), pytest.raises(Conflict, match="Another backup"):
        back_up(target)
    elsewhere = FolderTarget(target.root.with_name("another"))
    with (
        work_folder(Path(django_settings.STATE_DIR), "backup-work"),
        pytest.raises(Conflict, match="at work"),
    ):
        back_up(elsewhere)


def test_r23_vendors_folder_needs_an_agreement(target: FolderTarget, kept: Stored, settings: Any) -> None:
    settings.BACKUP_VENDOR = "cold-store"
    with pytest.raises(AccessDenied, match="agreement"):
        back_up(target)
    assert not target.root.exists(), "nothing left"


def test_key_file_inside_the_backup_is_refused(target: FolderTarget, kept: Stored, settings: Any) -> None:
    settings.BACKUP_KEYRING_PATH = target.root / "key.json"
    with pytest.raises(Conflict, match="inside the backup"):
        back_up(target)


@pytest.mark.parametrize("part", ["header.json", "index.000", "database.000"])
@pytest.mark.parametrize("harm", ["flip", "cut", "delete"])
def test_damaged_part_of_a_snapshot_is_refused(
    target: FolderTarget, kept: Stored, part: str, harm: str
) -> None:
    back_up(target)
    path = target.root / "snapshots" / target.snapshots()[-1] / part
    path.chmod(0o600)
    if harm == "delete":
        path.unlink()
    elif harm == "cut":
        os.truncate(path, path.stat().st_size // 2)
    else:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    with pytest.raises(VaultDamaged):
        list(target.snapshot().chunks(part.partition(".")[0] if "header" not in part else "index"))


def test_either_key_file_opens_it_and_none_is_told(
    target: FolderTarget, kept: Stored, settings: Any, tmp_path: Path
) -> None:
    from portal.sealed.keys import forget_keys

    back_up(target)
    both = settings.KEYRING_PATH, settings.BACKUP_KEYRING_PATH
    for keyring, own in [(tmp_path / "gone", both[1]), (both[0], tmp_path / "gone")]:
        settings.KEYRING_PATH, settings.BACKUP_KEYRING_PATH = keyring, own
        forget_keys()
        assert index_of(target).packs
    settings.KEYRING_PATH = settings.BACKUP_KEYRING_PATH = tmp_path / "gone"
    forget_keys()
    with pytest.raises(Sealed, match="Put back the key file"):
        target.snapshot()


# --- what lives, what goes, what is due ------------------------------------------------------------------------------


def test_epoch_follows_a_shredding(target: FolderTarget, kept: Stored, settings: Any) -> None:
    settings.BACKUP_TARGET = str(target.root)
    back_up(target)
    assert schedule.renew_epoch() is False, "nothing has changed"
    shred_study_key(kept.study.practice_id, kept.study.pk)
    assert schedule.renew_epoch() is True
    assert json.loads(target.epoch().read("epoch"))["slots"] == []


def test_clock_set_back_a_day_makes_no_older_keys_the_newest(
    target: FolderTarget, kept: Stored, clock: MovableClock
) -> None:
    back_up(target)
    shred_study_key(kept.study.practice_id, kept.study.pk)
    clock.advance(days=-1)
    back_up(target)
    assert json.loads(target.epoch().read("epoch"))["slots"] == []


def test_old_backups_go_and_the_newest_stays(
    target: FolderTarget, kept: Stored, clock: MovableClock, settings: Any
) -> None:
    back_up(target)
    only = packs_here()
    clock.advance(days=settings.BACKUP_KEEP_DAYS + 1)
    for name in only:
        VaultPack.objects.filter(name=name).delete()
        vault().delete(name)
    back_up(target)
    assert len(target.snapshots()) == len(target.epochs()) == 1
    assert pack_files(target) == []


def test_key_version_is_needed_as_long_as_a_backup_of_its_days_is_kept(
    target: FolderTarget, kept: Stored, clock: MovableClock, settings: Any
) -> None:
    back_up(target)
    assert "needs it" in needed_by(1)[-1]
    assert needed_by_backups(2) == []
    clock.advance(days=settings.BACKUP_KEEP_DAYS + 1)
    assert needed_by_backups(1), "the newest is kept however old"
    runs.end(runs.begin(Run.Kind.BACKUP), Run.Outcome.OK, "Of another key.", kek_versions=[2])
    assert needed_by_backups(1) == []


def test_what_is_due_is_queued_once(
    target: FolderTarget, kept: Stored, settings: Any, clock: MovableClock
) -> None:
    settings.BACKUP_TARGET = str(target.root)
    assert set(schedule.queue_due()) == {"backup", "scrub"}
    schedule.queue_due()
    assert sorted(Job.objects.values_list("kind", flat=True)) == ["backup", "scrub"]
    for job in Job.objects.all():
        run_job(job.pk)
    assert set(Job.objects.values_list("state", flat=True)) == {"done"}
    assert set(Run.objects.values_list("kind", "outcome")) == {("backup", "ok"), ("scrub", "ok")}
    assert schedule.queue_due() == ["drill"]
    Job.objects.filter(kind="drill").delete()
    clock.advance(seconds=settings.BACKUP_EVERY_S + 1)
    assert "backup" in schedule.queue_due()


def test_command_says_what_a_restore_needs(target: FolderTarget, kept: Stored, capsys: Any) -> None:
    call_command("backup", "--to", str(target.root))
    said = capsys.readouterr().out
    assert target.snapshots()[0] in said
    assert "A restore needs" in said
    call_command("backup", "--to", str(target.root), "--list")
    assert target.snapshots()[0] in capsys.readouterr().out
    with pytest.raises(CommandError, match="Name the backup folder"):
        call_command("backup")


# --- the scrub -------------------------------------------------------------------------------------------------------


def test_scrub_names_exactly_the_damaged_study(kept: Stored, pat: Patient, dana: User, settings: Any) -> None:
    other = made_study(pat)
    call_command("scrub")
    name = VaultPack.objects.filter(study=kept.study).exclude(name=kept.study.manifest_blob).first().name  # type: ignore[union-attr]
    path = Path(settings.VAULT_DIR) / name[:2] / name
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    with pytest.raises(CommandError, match="Damage was found"):
        call_command("scrub")
    run = Run.objects.filter(kind="scrub").latest("started_at")
    assert run.facts["hit"] == [str(kept.study.pk)]
    assert run.facts["studies"] == 2
    entry = AuditEntry.objects.get(code="vault.damaged")
    assert entry.study_id == kept.study.pk != other.study.pk
    assert run.started_at <= now()
