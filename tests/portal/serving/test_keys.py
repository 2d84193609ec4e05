"""The key file: made once, apart from the data unless a person accepts it, never replaced under data."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from portal.serving import keys
from portal.serving.refusal import CannotStart


def test_key_file_on_the_disk_of_the_data_is_refused(tmp_path: Path) -> None:
    keyring = tmp_path / "keys" / "keyring.json"
    with pytest.raises(
        CannotStart, match=r"SCANPASS_KEYRING=/other/disk/keyring.json.*--accept-colocated-keys"
    ):
        keys.prepare(keyring, state=tmp_path, accepts_colocated=False)
    assert not keyring.exists()


def test_accepted_key_file_is_made_once_and_private(tmp_path: Path) -> None:
    keyring = tmp_path / "keys" / "keyring.json"
    keys.prepare(keyring, state=tmp_path, accepts_colocated=True)
    first = keyring.read_bytes()
    keys.prepare(keyring, state=tmp_path, accepts_colocated=True)
    assert keyring.read_bytes() == first
    assert stat.S_IMODE(keyring.stat().st_mode) == 0o600
    assert stat.S_IMODE(keyring.parent.stat().st_mode) == 0o700


def test_key_file_on_another_disk_needs_no_consent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = tmp_path / "other" / "keyring.json"
    monkeypatch.setattr(keys, "_device", lambda path: 2 if path == keyring else 1)
    keys.prepare(keyring, state=tmp_path, accepts_colocated=False)
    assert keyring.exists()


def test_missing_key_file_of_existing_data_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "db.sqlite3").touch()
    with pytest.raises(CannotStart, match="Put the key file back"):
        keys.prepare(tmp_path / "keys" / "keyring.json", state=tmp_path, accepts_colocated=True)
    assert not (tmp_path / "keys").exists()
