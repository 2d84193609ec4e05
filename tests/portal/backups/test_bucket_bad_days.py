"""Backups in a bucket on bad days: a line that breaks, a store that refuses, harm done to what lies there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from portal.audit.models import AuditEntry
from portal.backups import leave, s3_bucket, s3_file, schedule
from portal.backups.address import target_at
from portal.backups.models import Run
from portal.backups.restore import copy_back
from portal.backups.snapshot import back_up
from portal.backups.target import Refused, Target
from portal.clock import now
from portal.errors import (
    AccessDenied,
    Conflict,
    NotFound,
    ScanpassError,
    StorageFull,
    Unavailable,
    VaultDamaged,
)
from portal.practice.models import Agreement, Practice
from portal.records.models import VaultPack
from portal.records.vault import vault
from portal.sealed.keys import shred_study_key
from portal.vault.header import MAGIC
from portal.vault.store import Store
from tests.conftest import MovableClock
from tests.portal.backups.conftest import agree, bytes_of, index_of, packs_here
from tests.portal.backups.s3_server import Asked, S3Server
from tests.viewer.conftest import Stored

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PART = 5 << 20  # the least S3 takes for a part that isn't the last


def after(count: int, fault: str, *, word: str = "objects/") -> Callable[[Asked], str | None]:
    """So many uploads below `word` go through, and everything after them meets the fault."""
    seen = 0

    def decide(asked: Asked) -> str | None:
        nonlocal seen
        if seen >= count:
            return fault
        seen += asked.is_upload and asked.path.startswith(f"smile/{word}")
        return None

    return decide


def test_listing_goes_on_after_a_thousand(bucket: Target, store: S3Server) -> None:
    names = {f"{number:032x}" for number in range(1003)}
    for name in names:
        store.put(f"smile/objects/{name[:2]}/{name}", MAGIC)
    assert set(bucket.objects.names()) == names


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        ("503 SlowDown", Unavailable, "SlowDown"),
        ("500 InternalError", Unavailable, "InternalError"),
        ("reset", Unavailable, "can't be reached"),
        ("507 InsufficientStorage", StorageFull, "full or over its quota"),
        ("403 QuotaExceeded", StorageFull, "full or over its quota"),
        ("403 AccessDenied", Refused, "refused this machine's credentials"),
        ("403 RequestTimeTooSkewed", Refused, "Set the clock"),
        ("404 NoSuchBucket", NotFound, "There is no bucket"),
    ],
)
def test_backup_that_breaks_off_refuses_in_words_and_goes_on_from_there(
    bucket: Target, store: S3Server, kept: Stored, fault: str, kind: type[ScanpassError], says: str
) -> None:
    store.fault = after(3, fault)
    with pytest.raises(kind, match=says):
        back_up(bucket)
    store.fault = None
    failed = Run.objects.get(outcome=Run.Outcome.FAILED)
    assert says in failed.sentence
    assert AuditEntry.objects.filter(code="backup.made", outcome="failed").exists()
    assert bucket.snapshots() == []
    assert len(store.packs()) == 3
    store.asked.clear()
    run = back_up(bucket)
    assert run.outcome == Run.Outcome.OK
    assert run.facts["copied"] == store.count("PUT", "objects/") == len(packs_here()) - 3
    assert {name: pack.length for name, pack in index_of(bucket).packs.items()} == {
        name: len(content) for name, content in store.packs().items()
    }


def test_store_that_stumbles_once_is_asked_again(
    bucket: Target, store: S3Server, kept: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_bucket, "TRIES", 3)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    stumbled: set[str] = set()

    def once(asked: Asked) -> str | None:
        is_first = repr(asked) not in stumbled
        stumbled.add(repr(asked))
        return ("503 SlowDown", "reset")[len(stumbled) % 2] if is_first else None

    store.fault = once
    assert back_up(target_at(bucket.address)).outcome == Run.Outcome.OK
    store.fault = None
    assert set(store.packs()) == packs_here()


def big_pack() -> bytes:
    return MAGIC + os.urandom(2 * PART + 1000 - len(MAGIC))


@pytest.mark.parametrize("can_abort", [True, False], ids=["aborted", "left for the next"])
def test_half_of_an_upload_in_parts_is_no_object_and_none_is_left_for_good(
    bucket: Target, store: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, can_abort: bool
) -> None:
    monkeypatch.setattr(s3_bucket, "PART_BYTES", PART)
    here, name, content = Store(tmp_path / "here"), "ab" * 16, big_pack()
    (tmp_path / "here" / "ab").mkdir()
    (tmp_path / "here" / "ab" / name).write_bytes(content)

    def fault(asked: Asked) -> str | None:
        is_broken = asked.query.get("partNumber") == "2" or (asked.method == "DELETE" and not can_abort)
        return "reset" if is_broken else None

    store.fault = fault
    with pytest.raises(Unavailable):
        bucket.objects.take(name, here)
    store.fault = None
    assert store.packs() == {}
    assert store.unfinished() == (0 if can_abort else 1)
    with bucket.locked():
        assert store.unfinished() == 0
        copied = bucket.objects.take(name, here)
    assert store.packs() == {name: content}
    assert copied == here.digest(name)


def test_pack_that_comes_back_over_a_breaking_line_is_whole_and_asked_for_from_where_it_broke(
    bucket: Target, store: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(s3_file, "PAUSES_S", (0,) * 4)
    here, name, content = Store(tmp_path / "here"), "ab" * 16, big_pack()
    (tmp_path / "here" / "ab").mkdir()
    (tmp_path / "here" / "ab" / name).write_bytes(content)
    sent = bucket.objects.take(name, here)
    gets = 0

    def fault(asked: Asked) -> str | None:
        nonlocal gets
        gets += asked.method == "GET" and "/objects/" in asked.path
        return "cut" if asked.method == "GET" and gets in (1, 2) and "/objects/" in asked.path else None

    store.fault = fault
    there = bucket.objects
    back = Store(tmp_path / "back")
    assert there.give(name, back) == sent
    assert bytes_of(back, name) == content
    assert gets == 3


def test_line_that_stays_broken_ends_a_restore_in_words_and_names_no_study(
    bucket: Target, store: S3Server, kept: Stored, tmp_path: Path
) -> None:
    back_up(bucket)
    index, there = index_of(bucket), bucket.objects
    name, wanted = next(iter(index.packs.items()))
    assert there.length(name) == wanted.length
    store.fault = lambda asked: "cut" if asked.method == "GET" and "/objects/" in asked.path else None
    with pytest.raises(Unavailable, match="breaks off"):
        copy_back(name, wanted, here=Store(tmp_path / "back"), there=there)
    store.fault = lambda _: "403 AccessDenied"
    with pytest.raises(Refused):
        copy_back(name, wanted, here=Store(tmp_path / "back"), there=there)


@pytest.mark.parametrize("harm", ["flipped", "truncated", "deleted", "deleted meanwhile", "cut meanwhile"])
def test_damaged_object_is_found_and_no_other(
    bucket: Target,
    store: S3Server,
    kept: Stored,
    tmp_path: Path,
    harm: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    back_up(bucket)
    index, there, back = index_of(bucket), bucket.objects, Store(tmp_path / "back")
    hit = sorted(index.packs)[1]
    place = f"smile/objects/{hit[:2]}/{hit}"
    content = store.objects()[place]
    if "meanwhile" in harm:
        there.length(hit)
    monkeypatch.setattr(s3_file, "PAUSES_S", (0,))
    if harm == "flipped":
        store.put(place, content[:-5] + bytes([content[-5] ^ 1]) + content[-4:])
    elif harm.startswith("deleted"):
        store.remove(place)
    else:
        store.put(place, content[: len(content) // 2])
    lost = [
        name for name, wanted in index.packs.items() if not copy_back(name, wanted, here=back, there=there)
    ]
    assert lost == [hit]
    assert set(back.names()) == packs_here() - {hit}


def test_what_is_back_and_whole_is_not_fetched_again(
    bucket: Target, store: S3Server, kept: Stored, tmp_path: Path
) -> None:
    back_up(bucket)
    index, there, back = index_of(bucket), bucket.objects, Store(tmp_path / "back")
    for name, wanted in index.packs.items():
        assert copy_back(name, wanted, here=back, there=there)
    harmed = tmp_path / "back" / name[:2] / name
    harmed.chmod(0o600)
    harmed.write_bytes(MAGIC + harmed.read_bytes()[len(MAGIC) : -1] + b"?")
    store.asked.clear()
    for name, wanted in index.packs.items():
        assert copy_back(name, wanted, here=back, there=there)
    assert [one.path for one in store.asked] == [f"smile/objects/{harmed.name[:2]}/{harmed.name}"]
    assert back.digest(harmed.name).sha256 == index.packs[harmed.name].sha256


@pytest.mark.parametrize("part", ["header.json", "index.000", "database.000"])
@pytest.mark.parametrize("harm", ["flip", "cut", "delete"])
def test_damaged_part_of_a_snapshot_is_refused(
    bucket: Target, store: S3Server, kept: Stored, part: str, harm: str
) -> None:
    back_up(bucket)
    place = f"smile/snapshots/{bucket.snapshots()[-1]}/{part}"
    content = store.objects()[place]
    middle = len(content) // 2
    if harm == "delete":
        store.remove(place)
    elif harm == "cut":
        store.put(place, content[:middle])
    else:
        store.put(place, content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    if (part, harm) == ("header.json", "delete"):
        with pytest.raises(NotFound, match="One was begun and not finished"):
            bucket.snapshot()
        return
    with pytest.raises(VaultDamaged):
        list(bucket.snapshot().chunks(part.partition(".")[0] if "header" not in part else "index"))


def test_two_at_once_take_turns_in_words(bucket: Target, kept: Stored) -> None:
    with bucket.locked(), pytest.raises(Conflict, match="Another backup"):
        back_up(bucket)


def test_r7_clock_set_back_a_day_makes_no_older_keys_the_newest(
    bucket: Target, kept: Stored, clock: MovableClock
) -> None:
    back_up(bucket)
    shred_study_key(kept.study.practice_id, kept.study.pk)
    clock.advance(days=-1)
    assert schedule.renew_epoch() is True
    assert json.loads(bucket.epoch().read("epoch"))["slots"] == []
    assert schedule.renew_epoch() is False


def test_sweep_does_not_wait_for_a_store_that_is_slow(
    bucket: Target, store: S3Server, kept: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    back_up(bucket)
    shred_study_key(kept.study.practice_id, kept.study.pk)
    answers = Event()

    def slow(asked: Asked) -> None:
        assert answers.wait(timeout=60)

    store.fault = slow
    schedule._renewed_at = -float(schedule.EPOCH_EVERY_S)
    schedule._looked_at = -float(schedule.LOOK_EVERY_S)
    schedule.sweep_schedule()
    renewing = schedule._renew_aside()
    assert renewing.is_alive(), "one at a time, and nobody waits"
    answers.set()
    renewing.join(timeout=60)
    assert json.loads(bucket.epoch().read("epoch"))["slots"] == []
    store.fault = lambda _: "503 SlowDown"
    schedule._renew_aside().join(timeout=60)
    assert "Unavailable" in caplog.text


def test_old_backups_go_and_what_another_machine_may_be_writing_stays(
    bucket: Target, store: S3Server, kept: Stored, clock: MovableClock, settings: Any
) -> None:
    back_up(bucket)
    old = packs_here()
    clock.advance(days=settings.BACKUP_KEEP_DAYS + 1)
    for name in old:
        VaultPack.objects.filter(name=name).delete()
        vault().delete(name)
    spared = sorted(old)[0]
    for name in old - {spared}:
        store.age(f"smile/objects/{name[:2]}/{name}", days=2)
    assert back_up(bucket).outcome == Run.Outcome.OK
    assert len(bucket.snapshots()) == len(bucket.epochs()) == 1
    assert set(store.packs()) == {spared}


def test_bucket_that_keeps_everything_is_told_of_and_is_no_failure(
    bucket: Target, store: S3Server, kept: Stored, clock: MovableClock, settings: Any
) -> None:
    back_up(bucket)
    clock.advance(days=settings.BACKUP_KEEP_DAYS + 1)
    store.fault = lambda asked: "403 AccessDenied" if asked.method == "DELETE" else None
    run = back_up(bucket)
    assert run.outcome == Run.Outcome.OK
    assert "may not be deleted there" in run.sentence
    assert len(bucket.snapshots()) == 2


def test_what_a_killed_upload_left_goes_after_a_day(bucket: Target, store: S3Server, kept: Stored) -> None:
    store.fault = lambda asked: "reset" if asked.is_upload and asked.path.endswith("header.json") else None
    with pytest.raises(Unavailable):
        back_up(bucket)
    store.fault = None
    left = [name for name in store.objects() if "/epochs/" in name]
    assert left
    assert bucket.epochs() == []
    with bucket.locked():
        assert [name for name in store.objects() if "/epochs/" in name] == left, "somebody may be writing it"
    for name in left:
        store.age(name, days=2)
    with bucket.locked():
        assert [name for name in store.objects() if "/epochs/" in name] == []


def test_r23_agreement_that_ends_while_packs_travel_stops_them(
    bucket: Target,
    store: S3Server,
    kept: Stored,
    smile: Practice,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.BACKUP_BUCKET_VENDOR = "s3"
    agreement = agree(smile)
    monkeypatch.setattr(leave, "ASK_EVERY_S", 0)

    def ends(asked: Asked) -> None:
        if len(store.packs()) == 1:
            Agreement.objects.filter(pk=agreement.pk).update(terminated_on=now().date())

    store.fault = ends
    with pytest.raises(AccessDenied):
        back_up(bucket)
    store.fault = None
    assert 1 <= len(store.packs()) <= 3
    assert bucket.snapshots() == []


def test_wrong_credentials_are_told_without_them(
    bucket: Target, store: S3Server, kept: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
    with pytest.raises(Refused, match="SignatureDoesNotMatch") as refused:
        back_up(target_at(bucket.address))
    assert "not-the-secret" not in str(refused.value)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Refused, match="no credentials"):
        back_up(target_at(bucket.address))
    assert store.packs() == {}
