"""The 100 bytes in front of every sealed object, and the arithmetic of its chunks.

    0 "SCNP"  4 version=1  5 suite=1  6 flags=0 (2)  8 chunk size (4)  12 dek id (16)  28 salt (32)
    60 commitment (32)  92 plaintext length (8)  100 chunks, each with a tag of 16

Numbers are big endian.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from portal.vault.encoding import Buffer
from portal.vault.reasons import Reason, damaged

HEADER_BYTES = 100
CHUNK_BYTES = 262_144
TAG_BYTES = 16
SALT_BYTES = 32
COMMITMENT_BYTES = 32
DEK_ID_BYTES = 16
MAX_PLAINTEXT = 4 * 2**30  # 2^14 chunks, far inside GCM's limits for one key (NIST SP 800-38D 5.2.1.1)

_LAYOUT = struct.Struct(">4sBBHI16s32s32sQ")
MAGIC, _VERSION, _SUITE, _FLAGS = b"SCNP", 1, 1, 0
SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES


class Header(NamedTuple):
    """A header that passed rules (1) to (7)."""

    dek_id: bytes
    salt: bytes
    commitment: bytes
    length: int  # of the plaintext, in bytes


def pack_header(header: Header) -> bytes:
    """The 100 bytes of `header`."""
    return _LAYOUT.pack(MAGIC, _VERSION, _SUITE, _FLAGS, CHUNK_BYTES, *header)


def parse_header(raw: Buffer, *, length: int | None) -> Header:
    """The header in `raw` (100 bytes); `length` is what the row says, None where no row knows it.

    Raises VaultDamaged by rules (2) to (7).
    """
    magic, version, suite, flags, chunk_bytes, dek_id, salt, commitment, stated = _LAYOUT.unpack(raw)
    if magic != MAGIC:
        raise damaged(Reason.MAGIC)
    if version != _VERSION:
        raise damaged(Reason.VERSION)
    if suite != _SUITE:
        raise damaged(Reason.SUITE)
    if flags != _FLAGS:
        raise damaged(Reason.FLAGS)
    if chunk_bytes != CHUNK_BYTES:
        raise damaged(Reason.CHUNK_SIZE)
    if stated > MAX_PLAINTEXT:
        raise damaged(Reason.CAP)
    if length is not None and stated != length:
        raise damaged(Reason.LENGTH)
    return Header(dek_id, salt, commitment, stated)


def chunk_count(length: int) -> int:
    """Chunks of a plaintext of `length` bytes; an empty one still has its one authenticated chunk."""
    return max(1, -(-length // CHUNK_BYTES))


def sealed_length(n: int) -> int:
    """Bytes a plaintext of `n` bytes takes once sealed."""
    return HEADER_BYTES + n + TAG_BYTES * chunk_count(n)


def check_size(sealed_size: int, length: int) -> None:
    """Hold the sealed size against the plaintext length, by rules (8), (13) and (14)."""
    surplus = sealed_size - sealed_length(length)
    if surplus < 0:
        raise damaged(Reason.SIZE)
    if surplus == TAG_BYTES and length and length % CHUNK_BYTES == 0:
        raise damaged(Reason.EMPTY_CHUNK)
    if surplus > 0:
        raise damaged(Reason.TRAILING)
