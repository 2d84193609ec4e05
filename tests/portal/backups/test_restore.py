"""Restoring on a machine that has only the backup and the key files: what comes back, and what must not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.backups import schedule
from portal.backups.folder import FolderTarget
from portal.backups.models import Run
from portal.backups.snapshot import back_up
from portal.records.models import Patient, VaultPack
from portal.sealed.keys import shred_study_key
from sharing.revoke import revoke
from tests.cast import actor_of
from tests.portal.backups.conftest import Elsewhere, pack_files, packs_here
from tests.viewer.conftest import Stored, made_study, share_of

# Each restores by a process of its own, as after a fire: some seconds.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def flip(path: Path) -> None:
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.chmod(0o600)
    os.truncate(path, path.stat().st_size - 1)


def test_r8_drill_on_an_empty_directory_opens_a_study_and_tells_rpo_and_rto(
    target: FolderTarget, kept: Stored, dana: User, capsys: pytest.CaptureFixture[str]
) -> None:
    share_of(kept, dana)
    back_up(target)
    before = AuditEntry.objects.count()
    call_command("drill", "--from", str(target.root))
    run = Run.objects.get(kind="drill")
    assert (run.outcome, run.facts["hit"], run.facts["studies"]) == ("ok", [], 1)
    assert run.facts["entries"] >= before
    assert run.facts["opened_bytes"] > 0
    assert 0 < run.facts["rto_s"] < 600
    assert 0 <= run.facts["rpo_s"] < 600
    assert AuditEntry.objects.filter(code="backup.drilled", outcome="ok").exists()
    assert "RPO" in capsys.readouterr().out


def test_r8_restored_copy_is_whole_and_nothing_in_it_is_open(
    target: FolderTarget, kept: Stored, pat: Patient, dana: User, elsewhere: Elsewhere
) -> None:
    live, ended = share_of(kept, dana), share_of(kept, dana)
    dead = made_study(pat)
    back_up(target)
    # After the backup a share is revoked and a study shredded; what lives was written down ten minutes later.
    revoke(ended, actor=actor_of(dana))
    shred_study_key(dead.study.practice_id, dead.study.pk)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.BACKUP_TARGET", str(target.root))
        assert schedule.renew_epoch()
    done = elsewhere.proved(target)
    assert (done["hit"], done["damaged"], done["shredded"]) == ([], {}, 1)
    assert done["packs"] == len(packs_here())
    assert done["proof"]["bad_chains"] == []
    assert done["closed"]["shares_locked"] == 1
    assert done["closed"]["revoked_again"] == 1
    opened = f"[bool(s.locked_at) for s in Share.objects.filter(pk='{live.pk}')]"
    assert elsewhere.ask(opened) == [True]
    assert elsewhere.ask("[t.kind for t in DeskTask.objects.filter(done_at=None)]") == ["restored"]
    assert elsewhere.ask(f"[bool(s.revoked_at) for s in Share.objects.filter(pk='{ended.pk}')]") == [True]
    assert elsewhere.ask("[str(k.study_id) for k in StudyKey.objects.all()]") == [str(kept.study.pk)]
    assert elsewhere.ask("[r.outcome for r in Run.objects.filter(kind='restore')]") == ["ok"]
    assert elsewhere.ask("Session.objects.count() + Message.objects.filter(state='queued').count()") == 0
    assert elsewhere.ask("scrub().facts['hit']") == []


@pytest.mark.parametrize("harm", [flip, cut, Path.unlink], ids=["flipped", "truncated", "deleted"])
def test_damaged_pack_is_named_with_exactly_the_study_it_hits(
    target: FolderTarget, kept: Stored, pat: Patient, elsewhere: Elsewhere, harm
) -> None:
    whole = made_study(pat)
    back_up(target)
    name = VaultPack.objects.filter(study=kept.study).exclude(name=kept.study.manifest_blob).first().name  # type: ignore[union-attr]
    harm(next(path for path in pack_files(target) if path.name == name))
    done = elsewhere.proved(target)
    assert done["hit"] == [str(kept.study.pk)]
    assert list(done["damaged"]) == [name]
    assert done["proof"]["unopened"] == [str(kept.study.pk)], "the other one opens"
    assert str(whole.study.pk) not in str(done["damaged"])


def test_drill_finds_what_the_backup_lost(target: FolderTarget, kept: Stored) -> None:
    back_up(target)
    pack_files(target)[0].unlink()
    with pytest.raises(CommandError, match="found damage"):
        call_command("drill", "--from", str(target.root))
    run = Run.objects.get(kind="drill")
    assert (run.outcome, run.facts["hit"]) == ("damaged", [str(kept.study.pk)])


def test_r7_refused_restores_are_in_the_trail_that_comes_back_and_so_is_a_second_one(
    target: FolderTarget, kept: Stored, elsewhere: Elsewhere
) -> None:
    back_up(target)
    refused = elsewhere.restore(target, "--snapshot", "000009-20200101T000000Z")
    assert (refused.returncode, "There is no backup" in refused.stderr) == (1, True)
    assert elsewhere.proved(target)["proof"]["bad_chains"] == []
    again = elsewhere.restore(target)
    assert again.returncode == 1
    assert "There is data" in again.stderr
    entries = "AuditEntry.objects.filter(code='restore.refused').order_by('n')"
    told = elsewhere.ask(
        f"[[e.outcome, __import__('json').loads(bytes(e.event))['facts']] for e in {entries}]"
    )
    assert [(outcome, facts["reason"], facts.get("was_kept")) for outcome, facts in told] == [
        ("refused", "NotFound", True),
        ("refused", "Conflict", None),
    ]
    proof = "__import__('portal.backups.proof', fromlist=['prove']).prove().bad_chains"
    assert elsewhere.ask(proof) == []


def test_two_restores_at_once_take_turns_in_words(
    target: FolderTarget, kept: Stored, elsewhere: Elsewhere
) -> None:
    import fcntl

    back_up(target)
    elsewhere.state.mkdir()
    with (elsewhere.state / "lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused = elsewhere.restore(target)
    assert refused.returncode == 1
    assert "already running" in refused.stderr


def test_restore_that_did_not_finish_is_refused_by_the_next_and_by_the_start(
    target: FolderTarget, kept: Stored, elsewhere: Elsewhere
) -> None:
    back_up(target)
    elsewhere.state.mkdir()
    (elsewhere.state / "restoring").touch()
    refused = elsewhere.restore(target)
    assert "did not finish" in refused.stderr
    # With its database loaded it would go on, but with no other backup.
    (elsewhere.state / "restoring").write_text("000009-20200101T000000Z")
    assert "There is no backup 000009" in elsewhere.restore(target).stderr
    other = elsewhere.restore(target, "--snapshot", target.snapshots()[-1])
    assert "Go on with that one, or empty" in other.stderr
    started = elsewhere.run(
        "serve", "--state", str(elsewhere.state), "--accept-colocated-keys", "--port", "8199"
    )
    assert started.returncode == 1
    assert "did not finish" in started.stderr


def test_restore_without_a_key_says_which_is_missing(
    target: FolderTarget, kept: Stored, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    back_up(target)
    for name in ("SCANPASS_KEYRING", "SCANPASS_BACKUP_KEYRING"):
        elsewhere.environment[name] = str(tmp_path / "gone.json")
    refused = elsewhere.restore(target)
    assert refused.returncode == 1
    assert "Put back the key file" in refused.stderr


def test_missing_set_of_keys_is_told_and_no_older_one_taken_silently(
    target: FolderTarget, kept: Stored, elsewhere: Elsewhere
) -> None:
    back_up(target)
    shutil.rmtree(target.root / "epochs")
    refused = elsewhere.restore(target)
    assert "set of keys is missing" in refused.stderr


def test_r8_older_backup_by_name_after_revokes_and_shreds(
    target: FolderTarget, kept: Stored, pat: Patient, dana: User, elsewhere: Elsewhere
) -> None:
    share, dead = share_of(kept, dana), made_study(pat)
    older = back_up(target).facts["snapshot"]
    revoke(share, actor=actor_of(dana))
    shred_study_key(dead.study.practice_id, dead.study.pk)
    back_up(target)
    done = elsewhere.proved(target, "--snapshot", older)
    assert done["snapshot"] == older
    assert (done["closed"]["revoked_again"], done["shredded"]) == (1, 1)
    assert elsewhere.ask("Share.objects.filter(revoked_at=None).count()") == 0
    assert elsewhere.ask(f"StudyKey.objects.filter(study_id='{dead.study.pk}').count()") == 0
    assert elsewhere.ask("AuditEntry.objects.filter(code='backup.restored').count()") == 1
