"""The object format v1: one door to sealing and opening.

    100-byte header, then chunks of 262,144 bytes: AES-256-GCM(key, nonce = 0^7 ‖ u32 i ‖ last?1:0,
    AAD = SHA-256(header)), each with its 16-byte tag                                       (STREAM)

The key comes by HKDF from the study's DEK, a salt of its own and the `Context`, which isn't in the file.
The rules a reader holds to, and what the format does not promise, are in `docs/vault-format.md`.
"""

from __future__ import annotations

from portal.vault.header import CHUNK_BYTES, HEADER_BYTES, MAX_PLAINTEXT, TAG_BYTES, sealed_length
from portal.vault.opener import Opener, open_bytes, open_into
from portal.vault.sealed_file import SealedFile
from portal.vault.sealer import Sealer, seal_bytes

__all__ = [
    "CHUNK_BYTES",
    "HEADER_BYTES",
    "MAX_PLAINTEXT",
    "TAG_BYTES",
    "Opener",
    "SealedFile",
    "Sealer",
    "open_bytes",
    "open_into",
    "seal_bytes",
    "sealed_length",
]
