"""A second implementation of the sealed formats, from `docs/vault-format.md` alone: it imports no `portal`.

It makes the vectors, including objects that a correct writer would never make. No reader, no product code.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHUNK = 262_144


def lp(raw: bytes) -> bytes:
    return len(raw).to_bytes(4, "big") + raw


def encode_context(context: Mapping[str, Any]) -> bytes:
    places = b"".join(lp(UUID(context[name]).bytes) for name in ("practice", "study", "series", "instance"))
    numbers = struct.pack(">QIQ", context["index"], context["level"], context["generation"])
    return b"scanpass/obj/v1" + places + lp(context["kind"].encode()) + numbers


def hkdf(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, spelled out."""
    prk = hmac.digest(salt or bytes(32), key, "sha256")
    out, block = b"", b""
    while len(out) < length:
        block = hmac.digest(prk, block + info + bytes([len(out) // 32 + 1]), "sha256")
        out += block
    return out[:length]


def make_object(
    plaintext: bytes,
    *,
    dek: bytes,
    dek_id: bytes,
    salt: bytes,
    context: Mapping[str, Any],
    header: Mapping[str, int] | None = None,
    last_chunks: Sequence[int] | None = None,
    empty_final_chunk: bool = False,
) -> bytes:
    """A sealed object, faults included.

    `header` overrides fields before anything is authenticated; `last_chunks` names the chunks sealed as last.
    """
    okm = hkdf(dek, salt, encode_context(context), 64)
    fields = {
        "version": 1,
        "suite": 1,
        "flags": 0,
        "chunk": CHUNK,
        "length": len(plaintext),
        **(header or {}),
    }
    raw = (
        b"SCNP"
        + struct.pack(">BBHI", fields["version"], fields["suite"], fields["flags"], fields["chunk"])
        + dek_id
        + salt
        + okm[32:]
        + struct.pack(">Q", fields["length"])
    )
    chunks = [plaintext[i : i + CHUNK] for i in range(0, len(plaintext), CHUNK)] or [b""]
    if empty_final_chunk:
        chunks.append(b"")
    last = [len(chunks) - 1] if last_chunks is None else last_chunks
    gcm, aad = AESGCM(okm[:32]), hashlib.sha256(raw).digest()
    return raw + b"".join(
        gcm.encrypt(bytes(7) + struct.pack(">IB", i, i in last), chunk, aad) for i, chunk in enumerate(chunks)
    )


def apply_edit(sealed: bytes, edit: Mapping[str, Any]) -> bytes:
    """One deed of an attacker who holds the file and no key."""
    chunks = [sealed[i : i + CHUNK + 16] for i in range(100, len(sealed), CHUNK + 16)]
    match edit:
        case {"flip_bit": bit}:
            changed = bytearray(sealed)
            changed[bit // 8] ^= 1 << (bit % 8)
            return bytes(changed)
        case {"put": text, "at": at}:
            raw = bytes.fromhex(text)
            return sealed[:at] + raw + sealed[at + len(raw) :]
        case {"keep": count}:
            return sealed[:count]
        case {"append": text}:
            return sealed + bytes.fromhex(text)
        case {"order_chunks": order}:
            return sealed[:100] + b"".join(chunks[i] for i in order)
    raise ValueError("unknown edit")


def build(recipe: Mapping[str, Any], *, dek: bytes, dek_id: bytes) -> bytes:
    """The sealed bytes a vector describes by rule, where writing them out would take megabytes."""
    plaintext = repeated(recipe["plaintext"])
    sealed = make_object(
        plaintext,
        dek=dek,
        dek_id=dek_id,
        salt=bytes.fromhex(recipe["salt"]),
        context=recipe["sealed_for"],
        **recipe.get("writer", {}),
    )
    for edit in recipe.get("edits", []):
        sealed = apply_edit(sealed, edit)
    return sealed


def repeated(rule: Mapping[str, Any]) -> bytes:
    """`rule["repeat"]` (hex) over and over, cut to `rule["length"]` bytes."""
    unit = bytes.fromhex(rule["repeat"])
    length: int = rule["length"]
    return (unit * (length // len(unit) + 1))[:length]


def parts(*values: tuple[str, Any]) -> bytes:
    """Typed parts, each length-prefixed: text, uuid, u64."""
    as_bytes = {
        "text": lambda v: v.encode(),
        "uuid": lambda v: UUID(v).bytes,
        "u64": lambda v: struct.pack(">Q", v),
    }
    return b"".join(lp(as_bytes[kind](value)) for kind, value in values)
