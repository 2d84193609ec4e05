"""Key-encryption keys in a file: the default for one machine.

    {"format": "scanpass-keyring/1", "active": 1,
     "keys": {"1": {"created_at": "2026-11-23T08:00:00+00:00", "key": "<32 bytes, base64>"}}}

Whoever reads this file and the vault reads every scan, so it belongs on another file system than both, readable by
the service alone (mode 0600), and never in their backups.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from portal.vault.providers import keyring_file
from portal.vault.providers.base import probe, sealed
from portal.vault.providers.keyring_file import KeyringContent
from portal.vault.wrapping import Wrapped, new_key, unwrap_key, wrap_key


class FileProvider:
    """A `Provider` over the keyring file at `path`. Raises Sealed when it is missing, damaged or open to others.

    The file is looked at on every call, so a rotation by another process counts at once, and taking the file away
    closes the house.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        self._seen: tuple[object, KeyringContent] | None = None

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make a keyring with its first key. Raises FileExistsError where one lies: overwriting it would end all."""
        keyring_file.create(Path(path), KeyringContent.first(new_key()))
        return cls(path)

    def active_version(self) -> int:
        return self._content().active

    def versions(self) -> frozenset[int]:
        return frozenset(self._content().keys)

    def wrap(self, key: bytes, aad: bytes) -> Wrapped:
        content = self._content()
        return Wrapped(content.active, wrap_key(content.keys[content.active].key, key, aad=aad))

    def unwrap(self, wrapped: Wrapped, aad: bytes) -> bytes:
        stored = self._content().keys.get(wrapped.version)
        if stored is None:
            raise sealed("keyring-version")
        return unwrap_key(stored.key, wrapped.blob, aad=aad)

    def health(self) -> None:
        probe(self)

    def rotate(self) -> int:
        """Add a version, make it the active one and return it. Older versions still unwrap."""
        with keyring_file.locked(self._path):
            content = keyring_file.read(self._path).with_new_key(new_key())
            keyring_file.replace(self._path, content)
        return content.active

    def retire(self, version: int) -> None:
        """Drop a version for good. Ask first whether any row or backup needs it; this can't know.

        Raises InvalidInput for the active version and Sealed for one that isn't there.
        """
        with keyring_file.locked(self._path):
            keyring_file.replace(self._path, keyring_file.read(self._path).without(version))

    def shares_file_system_with(self, paths: Iterable[Path]) -> bool:
        """Whether any of `paths` (or the folder it will be made in) is on the keyring's file system.

        One lost disk, one snapshot or one backup would then hold both lock and key.
        """
        own = _device(self._path)
        return any(_device(Path(path)) == own for path in paths)

    def content(self) -> bytes:
        """The whole file, for the escrow sheet."""
        return self._content().encode()

    def _content(self) -> KeyringContent:
        stamp = keyring_file.stamp(self._path)
        seen = self._seen
        if seen is None or seen[0] != stamp:
            seen = self._seen = (stamp, keyring_file.read(self._path))
        return seen[1]


def _device(path: Path) -> int:
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return os.stat(path).st_dev
