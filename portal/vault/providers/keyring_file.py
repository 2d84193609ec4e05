"""The bytes of the keyring file: reading, checking, replacing. No wrapping here."""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from portal.errors import InvalidInput
from portal.vault.disk import fsync_folder, full_disk_as_storage_full
from portal.vault.encoding import canonical_json
from portal.vault.object_key import KEY_BYTES
from portal.vault.providers.base import sealed

FORMAT = "scanpass-keyring/1"


@dataclass(frozen=True, slots=True)
class StoredKey:
    created_at: str  # ISO 8601, for people; nothing is decided by it
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyringContent:
    """What the file says: versions and which of them is active."""

    active: int
    keys: Mapping[int, StoredKey]

    @classmethod
    def first(cls, key: bytes) -> Self:
        return cls(1, {1: _stored(key)})

    def with_new_key(self, key: bytes) -> KeyringContent:
        version = max(self.keys) + 1
        return KeyringContent(version, {**self.keys, version: _stored(key)})

    def without(self, version: int) -> KeyringContent:
        if version == self.active:
            raise InvalidInput("The active version can't be retired. Rotate and rewrap first.")
        if version not in self.keys:
            raise sealed("keyring-version")
        return KeyringContent(self.active, {v: key for v, key in self.keys.items() if v != version})

    def encode(self) -> bytes:
        keys = {
            str(version): {"created_at": stored.created_at, "key": base64.b64encode(stored.key).decode()}
            for version, stored in self.keys.items()
        }
        return canonical_json({"format": FORMAT, "active": self.active, "keys": keys}) + b"\n"

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Raises Sealed when `raw` isn't a keyring; a half-understood one isn't used."""
        try:
            return cls._from_json(json.loads(raw))
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            raise sealed("keyring-damaged") from None

    @classmethod
    def _from_json(cls, document: dict[str, Any]) -> Self:
        keys = {
            int(version): StoredKey(stored["created_at"], base64.b64decode(stored["key"], validate=True))
            for version, stored in document["keys"].items()
        }
        active = document["active"]
        if document["format"] != FORMAT or active not in keys:
            raise ValueError("not a keyring of this format")
        if any(version < 1 or len(stored.key) != KEY_BYTES for version, stored in keys.items()):
            raise ValueError("not a key of this format")
        return cls(active, keys)


def _stored(key: bytes) -> StoredKey:
    return StoredKey(datetime.now(UTC).isoformat(timespec="seconds"), key)


def stamp(path: Path) -> object:
    """What changes when the file does. Raises Sealed when it is missing or open to others."""
    try:
        status = path.stat()
    except OSError:
        raise sealed("keyring-missing") from None
    _check_mode(status)
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)


def read(path: Path) -> KeyringContent:
    """The content of the keyring at `path`. Raises Sealed when it is missing, damaged or open to others."""
    try:
        with path.open("rb") as file:
            # The mode is asked of the open file, not of the name, which could change in between.
            _check_mode(os.fstat(file.fileno()))
            return KeyringContent.decode(file.read())
    except OSError:
        raise sealed("keyring-missing") from None


def _check_mode(status: os.stat_result) -> None:
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise sealed("keyring-mode")


def create(path: Path, content: KeyringContent) -> None:
    """Write a new keyring. Raises FileExistsError where one lies."""
    with locked(path), full_disk_as_storage_full():
        aside = _write_aside(path, content)
        try:
            os.link(aside, path)  # unlike a rename, a link refuses to replace
        finally:
            aside.unlink()
        fsync_folder(path.parent)


def replace(path: Path, content: KeyringContent) -> None:
    """Put `content` in place of the keyring: readers see the old one or the new one, whole. Hold `locked`."""
    with full_disk_as_storage_full():
        _write_aside(path, content).rename(path)
        fsync_folder(path.parent)


def _write_aside(path: Path, content: KeyringContent) -> Path:
    aside = path.with_name(path.name + ".new")
    aside.unlink(missing_ok=True)  # of a process that died here; its key never came into use
    fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(content.encode())
        file.flush()
        os.fsync(fd)
    return aside


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One writer at a time; the lock is on the folder, for the file itself is replaced."""
    try:
        fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        raise sealed("keyring-missing") from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
