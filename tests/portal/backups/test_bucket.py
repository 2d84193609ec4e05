"""Backups in a bucket: the same promises as in a folder. How they are kept on bad days is in `test_bucket_bad_days`."""

from __future__ import annotations

from typing import Any

import pytest

from portal.audit.models import AuditEntry
from portal.backups import schedule
from portal.backups.address import target_at
from portal.backups.models import Run
from portal.backups.snapshot import back_up
from portal.backups.target import Target
from portal.errors import (
    AccessDenied,
    Conflict,
    Unavailable,
)
from portal.practice.models import Practice
from portal.records.models import Patient
from portal.records.vault import vault
from portal.vault.store import Store
from tests.portal.backups.conftest import agree, bytes_of, index_of, packs_here
from tests.portal.backups.s3_server import S3Server
from tests.viewer.conftest import Stored, made_study

pytestmark = pytest.mark.django_db(transaction=True)


def test_r8_bucket_holds_every_pack_byte_for_byte_and_nothing_else_of_them(
    bucket: Target, store: S3Server, kept: Stored
) -> None:
    run = back_up(bucket)
    assert run.outcome == Run.Outcome.OK
    index = index_of(bucket)
    assert set(index.packs) == packs_here() == set(store.packs())
    for name, content in store.packs().items():
        assert content == bytes_of(vault(), name)
    folders = {name.split("/")[1] for name in store.objects()}
    assert folders == {"objects", "snapshots", "epochs"}, "nothing has a temporary name"
    assert len(bucket.epochs()) == 1


def test_nothing_of_it_is_in_clear(bucket: Target, store: S3Server, kept: Stored, pat: Patient) -> None:
    back_up(bucket)
    planted = [b"scanpass", b"Smile Dental", b"auditentry", str(kept.study.pk).encode(), kept.study.pk.bytes]
    for name, content in store.objects().items():
        assert str(kept.study.pk) not in name
        if not name.endswith("header.json"):
            assert not [word for word in planted if word in content], name


def test_unchanged_vault_is_neither_read_nor_sent_again(
    bucket: Target, store: S3Server, kept: Stored, pat: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    sealed = Store.sealed
    monkeypatch.setattr(Store, "sealed", lambda self, name: (read.append(name), sealed(self, name))[1])
    back_up(bucket)
    assert sorted(read) == sorted(packs_here()), "each pack once"
    store.asked.clear()
    assert back_up(bucket).facts["copied"] == 0
    assert len(read) == len(packs_here())
    assert store.count("PUT", "objects/") == store.count("HEAD", "objects/") == 0
    assert [one for one in store.asked if one.method == "GET" and "/objects/" in one.path] == []
    made_study(pat)
    new = packs_here() - set(read)
    assert back_up(bucket).facts["copied"] == len(new) > 0
    assert set(read[-len(new) :]) == new


def test_snapshot_is_there_when_its_header_is_which_comes_last(
    bucket: Target, store: S3Server, kept: Stored
) -> None:
    back_up(bucket)
    sent = [one.path.removeprefix("smile/") for one in store.asked if one.is_upload]
    kinds = [path.split("/")[0] for path in sent]
    assert kinds == sorted(kinds, key=["objects", "epochs", "snapshots"].index)
    assert sent[-1].endswith("/header.json")
    store.fault = lambda asked: (
        "503 SlowDown" if asked.path.endswith("header.json") and asked.is_upload else None
    )
    with pytest.raises(Unavailable):
        back_up(bucket)
    store.fault = None
    assert len(bucket.snapshots()) == 1
    assert index_of(bucket).packs


def test_r23_without_an_agreement_nothing_leaves_and_the_block_is_in_the_trail(
    bucket: Target, store: S3Server, kept: Stored, smile: Practice, settings: Any
) -> None:
    settings.BACKUP_BUCKET_VENDOR = "s3"
    with pytest.raises(AccessDenied, match="no business associate agreement in force for s3"):
        back_up(bucket)
    assert schedule.renew_epoch() is False
    assert store.asked == []
    assert AuditEntry.objects.filter(code="backup.made", outcome="failed", practice_id=smile.pk).exists()
    agree(smile)
    assert back_up(bucket).outcome == Run.Outcome.OK


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("s3://", "can't be read"),
        ("s3://b/p?endpoint=http://store.example.com", "by https"),
        ("s3://b/p?endpoint=ftp://store.example.com", "by https"),
        ("s3://b/p?secret=1", "can't be read"),
        ("s3://b/p?", ""),
        ("s3://KEY:SECRET@b/p", "Credentials don't belong"),
        ("s3://b/p?endpoint=https://store.example.com&region=eu-1&profile=backups", ""),
    ],
)
def test_address_is_read_or_refused_in_words(address: str, says: str) -> None:
    from portal.backups.address import S3Address, in_words
    from portal.errors import InvalidInput

    if says:
        with pytest.raises(InvalidInput, match=says):
            S3Address.parse(address)
        assert "can't be read" in in_words(address)
        return
    read = S3Address.parse(address)
    assert (read.bucket, read.prefix) == ("b", "p/")
    assert in_words(address).startswith("the bucket b (")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.delitem(sys.modules, "portal.backups.s3", raising=False)
    monkeypatch.setitem(sys.modules, "portal.backups.s3_bucket", None)
    with pytest.raises(Conflict, match="Install the extra aws"):
        target_at("s3://b/p")
