"""The keys of a backup: one of its own a set, wrapped twice, so that either key file opens it.

The backup keyring is for whoever runs backups: it opens the dump, in which names and images are still sealed. The
key-encryption key opens it as well, so that a restore needs the backup and the escrowed key alone. Neither is in any
backup.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from portal.errors import Conflict, Sealed, VaultDamaged
from portal.sealed.keys import provider
from portal.vault.encoding import canonical_json, encode_parts
from portal.vault.providers.base import Provider
from portal.vault.providers.file import FileProvider
from portal.vault.wrapping import Wrapped


def backup_keyring() -> FileProvider:
    """The keyring that only backups use."""
    return FileProvider(settings.BACKUP_KEYRING_PATH)


def make_backup_keyring(*, away_from: Path | None) -> bool:
    """Make the backup keyring where there is none; returns whether it was made. Raises `Conflict`."""
    path = Path(settings.BACKUP_KEYRING_PATH)
    if away_from and path.resolve().is_relative_to(away_from.resolve()):
        raise Conflict(
            "The backup's key file lies inside the backup. Set SCANPASS_BACKUP_KEYRING to a file elsewhere."
        )
    if path.exists():
        return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    FileProvider.create(path)
    return True


def wrap(key: bytes, *, set_id: UUID, header: dict[str, Any]) -> dict[str, list[Any]]:
    """The set's key under both keyrings, bound to the set and to every word of its header."""
    wrapped = {name: place.wrap(key, _aad(set_id, header)) for name, place in _places().items()}
    return {name: [one.version, base64.b64encode(one.blob).decode()] for name, one in wrapped.items()}


def unwrap(wrapped: dict[str, list[Any]], *, set_id: UUID, header: dict[str, Any]) -> bytes:
    """The set's key again. Raises `Sealed` when no keyring is here, `VaultDamaged` when the header isn't its own."""
    for name, place in _places().items():
        version, blob = wrapped[name]
        try:
            return place.unwrap(Wrapped(version, base64.b64decode(blob)), _aad(set_id, header))
        except Sealed:
            continue
        except VaultDamaged:
            # A keyring of another installation has versions of the same number.
            if name == "kek":
                raise
    raise Sealed(
        "No key here opens this backup. Put back the key file (SCANPASS_KEYRING) or the backup's key file"
        " (SCANPASS_BACKUP_KEYRING) and try again."
    )


def _places() -> dict[str, Provider]:
    return {"backup": backup_keyring(), "kek": provider()}


def _aad(set_id: UUID, header: dict[str, Any]) -> bytes:
    return encode_parts("backup", "1", set_id, hashlib.sha256(canonical_json(header)).digest())
