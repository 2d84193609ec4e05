"""The fixed ids, keys and randomness of the vectors, and what every case is made of."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

Case = dict[str, Any]


def fixed(label: str, count: int) -> bytes:
    """`count` bytes that look random and are the same each time."""
    return hashlib.shake_128(f"scanpass vectors {label}".encode()).digest(count)


def fixed_uuid(label: str) -> str:
    return str(UUID(bytes=fixed(label, 16), version=4))


DEK, OTHER_DEK = fixed("dek", 32), fixed("other dek", 32)
DEK_ID, OTHER_DEK_ID = fixed("dek id", 16), fixed("other dek id", 16)
PRACTICE, OTHER_PRACTICE = fixed_uuid("practice"), fixed_uuid("other practice")
PATIENT, OTHER_PATIENT = fixed_uuid("patient"), fixed_uuid("other patient")
STUDY, OTHER_STUDY = fixed_uuid("study"), fixed_uuid("other study")
SERIES, INSTANCE = fixed_uuid("series"), fixed_uuid("instance")

CONTEXT = {
    "practice": PRACTICE,
    "study": STUDY,
    "series": SERIES,
    "instance": INSTANCE,
    "kind": "frame",
    "index": 7,
    "level": 2,
    "generation": 3,
}


def case(name: str, operation: str, expect: str, why: str, **fields: Any) -> Case:
    return {"case": name, "operation": operation, "expect": expect, "why": why, **fields}
