"""Byte encodings that can be read in one way only.

Whatever is authenticated must have one meaning: fields are length-prefixed, so "ab"+"c" never equals "a"+"bc",
and JSON has one spelling.
"""

from __future__ import annotations

import json
import mmap
import struct
from uuid import UUID

Bytes = bytes | bytearray | memoryview
Buffer = Bytes | mmap.mmap
"""What can be sealed and opened without a copy."""

_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
)


def lp(b: bytes) -> bytes:
    """Length-prefixed: u32 big endian length ‖ bytes."""
    return struct.pack(">I", len(b)) + b


def encode_parts(*parts: str | bytes | int | UUID) -> bytes:
    """Each part length-prefixed, one after another.

    Text is UTF-8, a UUID its 16 bytes, a number 8 bytes big endian. Types aren't marked: every use begins with a
    label of its own and has a fixed list of parts.
    """
    return b"".join(lp(_part_bytes(part)) for part in parts)


def _part_bytes(part: str | bytes | int | UUID) -> bytes:
    if isinstance(part, str):
        return part.encode()
    if isinstance(part, UUID):
        return part.bytes
    if isinstance(part, int):
        return struct.pack(">Q", part)
    return part


def canonical_json(obj: object) -> bytes:
    """The one spelling of `obj`: keys sorted by code point, no spaces, UTF-8, nothing escaped that need not be.

    Numbers are written as Python writes them, so keep to whole numbers where another language must agree.
    Raises ValueError for NaN, infinities and lone surrogates, TypeError for what JSON can't hold.
    """
    return _CANONICAL.encode(obj).encode()
