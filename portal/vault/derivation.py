"""Keys made from keys: one key, many purposes, none of which tells of another.

Source: RFC 5869 (HKDF), with the purpose in `info` and no salt, the input being a uniform key already (3.1).
"""

from __future__ import annotations

from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portal.vault.encoding import encode_parts
from portal.vault.object_key import KEY_BYTES

LABELS = frozenset({"col", "bidx", "tok", "otp", "session"})
"""Columns, blind indexes, link tokens, one-time codes, sessions."""

_SHA256 = SHA256()


def derive_key(key: bytes, label: str, *parts: str | bytes | int | UUID) -> bytes:
    """32 bytes for one purpose: HKDF-SHA256(key, info = label and parts, each length-prefixed).

    Columns are `("col", table, column, version)`, blind indexes `("bidx", field, version)`, versions as text.
    """
    if len(key) != KEY_BYTES:
        raise ValueError("Keys of the vault have 32 bytes.")
    if label not in LABELS:
        raise ValueError("Unknown purpose of a key. Use one of portal.vault.derivation.LABELS.")
    return HKDF(_SHA256, KEY_BYTES, None, encode_parts(label, *parts)).derive(key)
