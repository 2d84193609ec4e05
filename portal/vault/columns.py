"""Values of the database that name a person: sealed one by one, found again by a blind index.

    u8 version ‖ 12 bytes of nonce ‖ ciphertext ‖ 16 bytes of tag

`version` is that of the practice key the column's key was derived from, so that rows can be renewed one by one. The
length of a value isn't hidden. A blind index shows which rows of one practice hold the same value, and nothing else:
never make one of a birth date or a sex alone.
"""

from __future__ import annotations

import hmac
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from portal.vault import entropy
from portal.vault.encoding import encode_parts
from portal.vault.header import TAG_BYTES
from portal.vault.reasons import Reason, damaged
from portal.vault.wrapping import NONCE_BYTES

BLIND_INDEX_BYTES = 16
_OVERHEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES


def column_aad(table: str, column: str, row_uuid: UUID, practice: UUID, version: int) -> bytes:
    """ "table|column|row|practice|version", each part length-prefixed: the one cell a value is good for."""
    return encode_parts(table, column, row_uuid, practice, version)


def seal_value(key: bytes, plaintext: bytes, *, aad: bytes, version: int = 1) -> bytes:
    """`plaintext` sealed under a column's key. `version` (1 to 255) is the one inside `aad`."""
    if not 1 <= version <= 255:
        raise ValueError("A key version in a column is 1 to 255.")
    nonce = entropy.random_bytes(NONCE_BYTES)
    return bytes([version]) + nonce + AESGCM(key).encrypt(nonce, plaintext, aad)


def open_value(key: bytes, sealed: bytes, *, aad: bytes, version: int = 1) -> bytes:
    """The value inside `sealed`. Raises VaultDamaged: `value-size`, `value-version` or `value-tag`."""
    if value_version(sealed) != version:
        raise damaged(Reason.VALUE_VERSION)
    try:
        return AESGCM(key).decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], aad)
    except InvalidTag:
        raise damaged(Reason.VALUE_TAG) from None


def value_version(sealed: bytes) -> int:
    """The version of the practice key that `sealed` needs, before it is opened and so before it is trusted."""
    if len(sealed) < _OVERHEAD_BYTES:
        raise damaged(Reason.VALUE_SIZE)
    return sealed[0]


def blind_index(key: bytes, normalised: str) -> bytes:
    """16 bytes by which equal values are found: HMAC-SHA256, cut. The caller settles case, accents and spaces."""
    return hmac.digest(key, normalised.encode(), "sha256")[:BLIND_INDEX_BYTES]
