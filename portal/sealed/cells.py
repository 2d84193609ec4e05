"""One sealed value: bound to its table, column, row and practice, under a key derived for that column.

A ciphertext moved anywhere else does not open.
"""

from __future__ import annotations

from uuid import UUID

from portal.sealed.keys import practice_key
from portal.vault.columns import column_aad, open_value, seal_value, value_version
from portal.vault.keyring import derive_key


def seal_cell(practice: UUID, table: str, column: str, row: UUID, plain: bytes) -> bytes:
    """`plain` under the practice's active key. Raises `Sealed` when the key is out of reach."""
    version, key = practice_key(practice)
    sealing = derive_key(key, "col", table, column, str(version))
    return seal_value(sealing, plain, aad=column_aad(table, column, row, practice, version), version=version)


def open_cell(practice: UUID, table: str, column: str, row: UUID, sealed: bytes) -> bytes:
    """The value again. Raises `VaultDamaged` when it isn't this cell's, `Sealed` when its key is out of reach."""
    version = value_version(sealed)
    _, key = practice_key(practice, version)
    sealing = derive_key(key, "col", table, column, str(version))
    return open_value(sealing, sealed, aad=column_aad(table, column, row, practice, version), version=version)
