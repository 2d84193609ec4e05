"""The chain of keys over any provider, and the keyring file."""

from __future__ import annotations

import base64
import json
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from portal.errors import InvalidInput, Sealed, StorageFull, VaultDamaged
from portal.vault.keyring import Keyring, Wrapped, derive_key, new_key, unwrap_key, wrap_key
from portal.vault.providers import keyring_file
from portal.vault.providers.base import Provider
from portal.vault.providers.file import FileProvider

PRACTICE, PATIENT, STUDY = uuid4(), uuid4(), uuid4()


class RemoteProvider:
    """Stands for a key service: holds its keys itself, can go out of reach."""

    def __init__(self) -> None:
        self._keys = {1: new_key()}
        self.is_reachable = True

    def active_version(self) -> int:
        return max(self.versions())

    def versions(self) -> frozenset[int]:
        if not self.is_reachable:
            raise Sealed(reason="service-timeout")
        return frozenset(self._keys)

    def wrap(self, key: bytes, aad: bytes) -> Wrapped:
        version = self.active_version()
        return Wrapped(version, wrap_key(self._keys[version], key, aad=aad))

    def unwrap(self, wrapped: Wrapped, aad: bytes) -> bytes:
        if wrapped.version not in self.versions():
            raise Sealed(reason="service-version")
        return unwrap_key(self._keys[wrapped.version], wrapped.blob, aad=aad)

    def health(self) -> None:
        self.versions()

    def rotate(self) -> int:
        version = max(self._keys) + 1
        self._keys[version] = new_key()
        return version

    def retire(self, version: int) -> None:
        del self._keys[version]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keyring.json"


@pytest.fixture(params=["file", "remote"])
def provider(request: pytest.FixtureRequest, path: Path) -> FileProvider | RemoteProvider:
    return FileProvider.create(path) if request.param == "file" else RemoteProvider()


def reason_of(deed: Callable[[], object]) -> object:
    with pytest.raises(Sealed) as closed:
        deed()
    return closed.value.details["reason"]


def test_practice_key_opens_for_its_practice_and_version_alone(provider: Provider) -> None:
    keyring, key = Keyring(provider), new_key()
    wrapped = keyring.wrap_practice_key(key, practice=PRACTICE, version=1)
    assert keyring.unwrap_practice_key(wrapped, practice=PRACTICE, version=1) == key
    for practice, version in ((uuid4(), 1), (PRACTICE, 2)):
        with pytest.raises(VaultDamaged):
            keyring.unwrap_practice_key(wrapped, practice=practice, version=version)


def test_study_key_opens_for_its_study_alone(provider: Provider) -> None:
    practice_key, key = new_key(), new_key()
    place = {"practice": PRACTICE, "patient": PATIENT, "study": STUDY, "generation": 1}
    wrapped = Keyring.wrap_study_key(practice_key, key, **place, version=4)
    assert wrapped.version == 4
    assert Keyring.unwrap_study_key(practice_key, wrapped, **place) == key
    with pytest.raises(VaultDamaged) as refusal:
        Keyring.unwrap_study_key(practice_key, wrapped, **{**place, "study": uuid4()})
    assert refusal.value.reason == "wrap-tag"
    with pytest.raises(VaultDamaged) as refusal:
        Keyring.unwrap_study_key(practice_key, Wrapped(4, b""), **place)
    assert refusal.value.reason == "shredded"


def test_after_rotation_old_keys_open_and_rewrapped_ones_are_under_the_new_version(
    provider: FileProvider | RemoteProvider,
) -> None:
    keyring, key = Keyring(provider), new_key()
    old = keyring.wrap_practice_key(key, practice=PRACTICE, version=1)
    assert old.version == 1
    assert provider.rotate() == 2
    assert provider.versions() == {1, 2}
    renewed = keyring.rewrap_practice_key(old, practice=PRACTICE, version=1)
    assert renewed.version == 2
    for wrapped in (old, renewed):
        assert keyring.unwrap_practice_key(wrapped, practice=PRACTICE, version=1) == key


def test_unknown_version_is_sealed(provider: Provider) -> None:
    wrapped = provider.wrap(new_key(), b"aad")
    with pytest.raises(Sealed):
        provider.unwrap(Wrapped(99, wrapped.blob), b"aad")


def test_unreachable_service_is_sealed() -> None:
    provider = RemoteProvider()
    keyring = Keyring(provider)
    keyring.health()
    provider.is_reachable = False
    with pytest.raises(Sealed):
        keyring.health()
    with pytest.raises(Sealed):
        keyring.wrap_practice_key(new_key(), practice=PRACTICE, version=1)


def test_wrapping_twice_gives_different_bytes() -> None:
    kek, key = new_key(), new_key()
    assert wrap_key(kek, key, aad=b"") != wrap_key(kek, key, aad=b"")


@pytest.mark.parametrize("short", [b"", bytes(16), bytes(31)])
def test_keys_of_another_length_are_refused(short: bytes) -> None:
    for deed in (
        lambda: wrap_key(short, new_key(), aad=b""),
        lambda: wrap_key(new_key(), short, aad=b""),
        lambda: unwrap_key(short, bytes(60), aad=b""),
        lambda: derive_key(short, "tok"),
    ):
        with pytest.raises(ValueError, match="have 32 bytes"):
            deed()


def test_purposes_give_unlike_keys_and_unknown_ones_none() -> None:
    key = new_key()
    made = [
        derive_key(key, "col", "a", "bc"),
        derive_key(key, "col", "ab", "c"),
        derive_key(key, "bidx", "a", "bc"),
    ]
    assert len({*made, key}) == 4
    with pytest.raises(ValueError, match="Unknown purpose"):
        derive_key(key, "column")


def test_created_keyring_is_private_and_never_replaced(path: Path) -> None:
    FileProvider.create(path)
    before = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        FileProvider.create(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_keyring_file_is_the_documented_json(path: Path) -> None:
    FileProvider.create(path).rotate()
    document = json.loads(path.read_bytes())
    assert document["format"] == "scanpass-keyring/1"
    assert document["active"] == 2
    assert document["keys"].keys() == {"1", "2"}
    assert {len(base64.b64decode(key["key"])) for key in document["keys"].values()} == {32}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o611])
def test_keyring_open_to_others_is_sealed(path: Path, mode: int) -> None:
    provider = FileProvider.create(path)
    provider.health()
    path.chmod(mode)
    assert reason_of(provider.health) == "keyring-mode"
    assert reason_of(lambda: keyring_file.read(path)) == "keyring-mode"


def test_missing_keyring_is_sealed_at_once_and_opens_when_it_is_back(path: Path) -> None:
    provider = FileProvider.create(path)
    provider.health()
    away = path.rename(path.with_name("away"))
    assert reason_of(provider.health) == "keyring-missing"
    assert reason_of(lambda: FileProvider(path.parent / "no" / "folder").rotate()) == "keyring-missing"
    away.rename(path)
    provider.health()


def damaged_documents() -> dict[str, bytes]:
    key = {"created_at": "2026-11-23T08:00:00+00:00", "key": base64.b64encode(bytes(32)).decode()}
    good = {"format": "scanpass-keyring/1", "active": 1, "keys": {"1": key}}
    documents: dict[str, object] = {
        "list": [],
        "format": {**good, "format": "scanpass-keyring/2"},
        "active-missing": {**good, "active": 2},
        "no-keys": {**good, "keys": {}},
        "short-key": {**good, "keys": {"1": {**key, "key": base64.b64encode(bytes(16)).decode()}}},
        "not-base64": {**good, "keys": {"1": {**key, "key": "!" * 44}}},
        "version-zero": {**good, "keys": {"0": key, "1": key}},
    }
    return {name: json.dumps(document).encode() for name, document in documents.items()} | {
        "cut": b'{"format'
    }


@pytest.mark.parametrize("name", damaged_documents())
def test_damaged_keyring_is_sealed(path: Path, name: str) -> None:
    path.touch(mode=0o600)
    path.write_bytes(damaged_documents()[name])
    assert reason_of(FileProvider(path).active_version) == "keyring-damaged"


def test_rotation_by_another_process_counts_at_once(path: Path) -> None:
    first, second = FileProvider.create(path), FileProvider(path)
    assert first.active_version() == 1
    second.rotate()
    assert first.active_version() == 2


def test_retired_version_is_gone_and_the_active_one_stays(path: Path) -> None:
    provider = FileProvider.create(path)
    old = provider.wrap(new_key(), b"")
    with pytest.raises(InvalidInput, match="active version"):
        provider.retire(1)
    provider.rotate()
    provider.retire(1)
    assert provider.versions() == {2}
    assert reason_of(lambda: provider.unwrap(old, b"")) == "keyring-version"
    assert reason_of(lambda: provider.retire(1)) == "keyring-version"


def test_leftover_of_a_dead_rotation_is_no_obstacle(path: Path) -> None:
    provider = FileProvider.create(path)
    path.with_name(path.name + ".new").write_bytes(b"half a keyring")
    assert provider.rotate() == 2
    assert list(path.parent.iterdir()) == [path]


def test_full_disk_keeps_the_old_keyring(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = FileProvider.create(path)
    before = path.read_bytes()

    def no_room(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(StorageFull):
        provider.rotate()
    assert path.read_bytes() == before


def test_shared_file_system_is_told_even_for_a_folder_that_is_not_there_yet(path: Path) -> None:
    provider = FileProvider.create(path)
    assert provider.shares_file_system_with([path.parent / "vault" / "later"])
    assert not provider.shares_file_system_with([Path("/proc/self")])
    assert not provider.shares_file_system_with([])


def test_no_key_is_ever_shown(path: Path) -> None:
    provider = FileProvider.create(path)
    provider.health()
    key = base64.b64decode(json.loads(path.read_bytes())["keys"]["1"]["key"])
    shown = repr(vars(provider)) + repr(keyring_file.read(path)) + repr(Wrapped(1, key))
    assert repr(key)[2:-1] not in shown
    assert base64.b64encode(key).decode() not in shown


def test_wrapped_keys_of_random_bytes_are_never_accepted() -> None:
    kek = new_key()
    for _ in range(100):
        with pytest.raises(VaultDamaged):
            unwrap_key(kek, secrets.token_bytes(60), aad=b"")
