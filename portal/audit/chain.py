"""The bytes of the chain: what is hashed, in which order. Pure functions, so that anyone can verify."""

from __future__ import annotations

import hashlib
import uuid
from typing import Final

DOMAIN: Final = b"scanpass/audit/1"
GENESIS: Final = bytes(32)


def next_hash(practice: uuid.UUID, n: int, previous: bytes, event: bytes) -> bytes:
    """SHA-256("scanpass/audit/1" ‖ practice (16) ‖ u64 n ‖ previous (32) ‖ SHA-256(event))."""
    digest = hashlib.sha256(DOMAIN)
    digest.update(practice.bytes)
    digest.update(n.to_bytes(8, "big"))
    digest.update(previous)
    digest.update(hashlib.sha256(event).digest())
    return digest.digest()
