"""The key of one object, and its chunks.

An object's key is fresh (32 random bytes of salt), so its chunk nonces may count from 0: they never repeat under a key.
The key alone doesn't pin what it opens, GCM isn't committing; so 32 bytes more are derived and stored as a commitment.

Source: RFC 5869 (HKDF); NIST SP 800-38D 8.2.1 (deterministic nonces); Hoang, Reyhanitabar, Rogaway, Vizár,
"Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", ePrint 2015/189 (STREAM).
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import NamedTuple, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portal.vault import entropy
from portal.vault.context import Context
from portal.vault.encoding import Bytes
from portal.vault.header import COMMITMENT_BYTES, DEK_ID_BYTES, MAX_PLAINTEXT, SALT_BYTES, Header, pack_header
from portal.vault.reasons import Reason, damaged

KEY_BYTES = 32
_SHA256 = SHA256()
_NONCE = struct.Struct(">7xIB")  # 0^7 ‖ u32 chunk index ‖ last?1:0


class _ObjectKey(NamedTuple):
    key: bytes
    commitment: bytes

    @classmethod
    def derive(cls, dek: bytes, salt: bytes, info: bytes) -> Self:
        if len(dek) != KEY_BYTES:
            raise ValueError("A data-encryption key has 32 bytes.")
        okm = HKDF(_SHA256, KEY_BYTES + COMMITMENT_BYTES, salt, info).derive(dek)
        return cls(okm[:KEY_BYTES], okm[KEY_BYTES:])

    def __repr__(self) -> str:
        return "<object key>"


class ChunkCipher:
    """Seals and opens the chunks of one object. Holds the key schedule, shows nothing."""

    __slots__ = ("_associated_data", "_gcm")

    def __init__(self, key: bytes, raw_header: bytes) -> None:
        self._gcm = AESGCM(key)
        self._associated_data = hashlib.sha256(raw_header).digest()

    def seal_into(self, index: int, chunk: Bytes, room: memoryview, *, is_last: bool) -> None:
        """Write the ciphertext and tag of a chunk into `room`, which is 16 bytes longer than the chunk."""
        self._gcm.encrypt_into(_NONCE.pack(index, is_last), chunk, self._associated_data, room)

    def open(self, index: int, sealed_chunk: Bytes, *, is_last: bool) -> bytes:
        """The plaintext of a chunk. Raises VaultDamaged by rules (11) and (12)."""
        try:
            return self._gcm.decrypt(_NONCE.pack(index, is_last), sealed_chunk, self._associated_data)
        except InvalidTag:
            raise damaged(self._why(index, sealed_chunk, is_last)) from None

    def open_into(self, index: int, sealed_chunk: Bytes, room: memoryview, *, is_last: bool) -> None:
        """Write the plaintext of a chunk into `room`, which holds nothing to be shown when this raises."""
        try:
            self._gcm.decrypt_into(_NONCE.pack(index, is_last), sealed_chunk, self._associated_data, room)
        except InvalidTag:
            raise damaged(self._why(index, sealed_chunk, is_last)) from None

    def _why(self, index: int, sealed_chunk: Bytes, is_last: bool) -> Reason:
        """Tell a wrong last flag from other damage, for the log only; what it opens is dropped."""
        try:
            self._gcm.decrypt(_NONCE.pack(index, not is_last), sealed_chunk, self._associated_data)
        except InvalidTag:
            return Reason.TAG
        return Reason.LAST_FLAG


def begin_object(*, dek: bytes, dek_id: bytes, context: Context, length: int) -> tuple[bytes, ChunkCipher]:
    """The header and the cipher of a new object of `length` bytes, with a salt of its own."""
    if len(dek_id) != DEK_ID_BYTES:
        raise ValueError("A DEK id has 16 bytes.")
    if not 0 <= length <= MAX_PLAINTEXT:
        raise ValueError("An object holds 0 bytes to 4 GiB.")
    salt = entropy.random_bytes(SALT_BYTES)
    derived = _ObjectKey.derive(dek, salt, context.encode())
    raw_header = pack_header(Header(dek_id, salt, derived.commitment, length))
    return raw_header, ChunkCipher(derived.key, raw_header)


def recognise_object(
    header: Header, raw_header: bytes, *, dek: bytes, dek_id: bytes, info: bytes
) -> ChunkCipher:
    """The cipher of an object whose header was parsed; `info` is its encoded context. Raises VaultDamaged by (9), (10).

    The DEK is the authorised row's: the id in the header is compared and never looked up.
    """
    if header.dek_id != dek_id:
        raise damaged(Reason.DEK_ID)
    derived = _ObjectKey.derive(dek, header.salt, info)
    if not hmac.compare_digest(header.commitment, derived.commitment):
        raise damaged(Reason.COMMITMENT)
    return ChunkCipher(derived.key, raw_header)
