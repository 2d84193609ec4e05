"""Keys sealed under keys: 12 random bytes of nonce ‖ ciphertext ‖ 16 bytes of tag.

The associated data says whose key it is and of which version, so a wrapped key can't stand in for another.

Source: NIST SP 800-38D 8.2.2 (random nonces, at most 2^32 a key; a KEK or practice key wraps some thousands).
AES-KW (SP 800-38F) takes no associated data and was left for that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from portal.vault import entropy
from portal.vault.encoding import encode_parts
from portal.vault.header import TAG_BYTES
from portal.vault.object_key import KEY_BYTES
from portal.vault.reasons import Reason, damaged

NONCE_BYTES = 12
WRAPPED_KEY_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A wrapped key and the version of the key it is wrapped under. An empty `blob` is a shredded slot."""

    version: int
    blob: bytes = field(repr=False)


def new_key() -> bytes:
    """A fresh 256-bit key."""
    return entropy.random_bytes(KEY_BYTES)


def wrap_key(kek: bytes, key: bytes, *, aad: bytes) -> bytes:
    """`key` sealed under `kek`: 60 bytes."""
    if len(kek) != KEY_BYTES or len(key) != KEY_BYTES:
        raise ValueError("Keys of the vault have 32 bytes.")
    nonce = entropy.random_bytes(NONCE_BYTES)
    return nonce + AESGCM(kek).encrypt(nonce, key, aad)


def unwrap_key(kek: bytes, blob: bytes, *, aad: bytes) -> bytes:
    """The key inside `blob`. Raises VaultDamaged: `shredded`, `wrap-size` or `wrap-tag`."""
    if len(kek) != KEY_BYTES:
        raise ValueError("Keys of the vault have 32 bytes.")
    if not blob:
        raise damaged(Reason.SHREDDED)
    if len(blob) != WRAPPED_KEY_BYTES:
        raise damaged(Reason.WRAP_SIZE)
    try:
        return AESGCM(kek).decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], aad)
    except InvalidTag:
        raise damaged(Reason.WRAP_TAG) from None


def practice_key_aad(practice: UUID, version: int) -> bytes:
    """ "pk|1|practice|version", each part length-prefixed. `version` is the practice key's own."""
    return encode_parts("pk", "1", practice, version)


def study_key_aad(practice: UUID, patient: UUID, study: UUID, generation: int) -> bytes:
    """ "dek|1|practice|patient|study|generation", each part length-prefixed."""
    return encode_parts("dek", "1", practice, patient, study, generation)
