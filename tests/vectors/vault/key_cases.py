"""Wrapped keys, derived keys, sealed columns and blind indexes."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.vectors.vault import reference
from tests.vectors.vault.cast import (
    OTHER_PATIENT,
    OTHER_PRACTICE,
    OTHER_STUDY,
    PATIENT,
    PRACTICE,
    STUDY,
    Case,
    case,
    fixed,
    fixed_uuid,
)

KEK, OTHER_KEK, KEY = fixed("kek", 32), fixed("other kek", 32), fixed("wrapped key", 32)
PRACTICE_KEY = {"label": "pk", "practice": PRACTICE, "version": 1}
STUDY_KEY = {"label": "dek", "practice": PRACTICE, "patient": PATIENT, "study": STUDY, "generation": 3}
CELL = {
    "table": "records_patient",
    "column": "last_name",
    "row": fixed_uuid("row"),
    "practice": PRACTICE,
    "version": 1,
}
COLUMN_KEY, VALUE = fixed("column key", 32), "Müller-Őrsi".encode()


def cases() -> Iterator[Case]:
    yield from _wraps()
    yield from _derived()
    yield from _values()
    yield from _blind_indexes()


def _aad(place: dict[str, Any]) -> bytes:
    if place["label"] == "pk":
        return reference.parts(
            ("text", "pk"), ("text", "1"), ("uuid", place["practice"]), ("u64", place["version"])
        )
    ids = (("uuid", place[name]) for name in ("practice", "patient", "study"))
    return reference.parts(("text", "dek"), ("text", "1"), *ids, ("u64", place["generation"]))


def _wrap(name: str, expect: str, why: str, sealed_for: dict[str, Any], **options: Any) -> Case:
    nonce = fixed(f"nonce {name}", 12)
    key = options.get("key", KEY)
    blob = nonce + AESGCM(options.get("wrapped_under", KEK)).encrypt(nonce, key, _aad(sealed_for))
    blob = options.get("change", lambda raw: raw)(blob)
    place = sealed_for | options.get("asked", {})
    return case(
        f"wrap-{name}", "unwrap", expect, why, kek=KEK.hex(), place=place, blob_hex=blob.hex(), key=key.hex()
    )


def _wraps() -> Iterator[Case]:
    yield _wrap("practice-key-ok", "ok", "A practice key under the KEK.", PRACTICE_KEY)
    yield _wrap("study-key-ok", "ok", "A study key under the practice key.", STUDY_KEY)
    for name, value in (("practice", OTHER_PRACTICE), ("version", 2)):
        yield _wrap(
            f"practice-key-other-{name}", "wrap-tag", f"Another {name}.", PRACTICE_KEY, asked={name: value}
        )
    moved = {"practice": OTHER_PRACTICE, "patient": OTHER_PATIENT, "study": OTHER_STUDY, "generation": 2}
    for name, value in moved.items():
        yield _wrap(f"study-key-other-{name}", "wrap-tag", f"Another {name}.", STUDY_KEY, asked={name: value})
    exchanged = {"patient": STUDY, "study": PATIENT}
    yield _wrap(
        "study-key-ids-exchanged", "wrap-tag", "Patient and study exchanged.", STUDY_KEY, asked=exchanged
    )
    yield _wrap("other-kek", "wrap-tag", "Wrapped under another key.", STUDY_KEY, wrapped_under=OTHER_KEK)
    yield _wrap("bit", "wrap-tag", "One bit.", STUDY_KEY, change=lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]))
    yield _wrap("cut", "wrap-size", "The last byte is missing.", STUDY_KEY, change=lambda raw: raw[:-1])
    yield _wrap("long", "wrap-size", "One byte more.", STUDY_KEY, change=lambda raw: raw + b"\0")
    yield _wrap(
        "short-key", "wrap-size", "A 128-bit key, honestly wrapped.", STUDY_KEY, key=fixed("short", 16)
    )
    yield _wrap("shredded", "shredded", "(17) The slot was emptied.", STUDY_KEY, change=lambda raw: raw[:0])


def _derived() -> Iterator[Case]:
    recipes: dict[str, list[tuple[str, Any]]] = {
        "col": [("text", "records_patient"), ("text", "last_name"), ("text", "1")],
        "bidx": [("text", "phone"), ("text", "1")],
        "tok": [],
        "otp": [],
        "session": [("text", "staff")],
    }
    for label, parts in recipes.items():
        info = reference.parts(("text", label), *parts)
        derived = reference.hkdf(KEY, b"", info, 32)
        yield case(
            f"derive-{label}",
            "derive",
            "ok",
            "HKDF-SHA256 without a salt.",
            key=KEY.hex(),
            label=label,
            parts=parts,
            derived=derived.hex(),
        )


def _cell_aad(cell: dict[str, Any]) -> bytes:
    texts = (("text", cell["table"]), ("text", cell["column"]))
    return reference.parts(
        *texts, ("uuid", cell["row"]), ("uuid", cell["practice"]), ("u64", cell["version"])
    )


def _value(name: str, expect: str, why: str, **options: Any) -> Case:
    nonce = fixed(f"nonce {name}", 12)
    plaintext = options.get("plaintext", VALUE)
    version = options.get("version_byte", 1)
    sealed = (
        bytes([version])
        + nonce
        + AESGCM(options.get("sealed_under", COLUMN_KEY)).encrypt(nonce, plaintext, _cell_aad(CELL))
    )
    sealed = options.get("change", lambda raw: raw)(sealed)
    return case(
        f"value-{name}",
        "open-value",
        expect,
        why,
        key=COLUMN_KEY.hex(),
        cell=CELL | options.get("asked", {}),
        sealed_hex=sealed.hex(),
        plaintext_hex=plaintext.hex(),
    )


def _values() -> Iterator[Case]:
    yield _value("ok", "ok", "A name with letters beyond ASCII.")
    yield _value("ok-empty", "ok", "An empty value is a value.", plaintext=b"")
    moved = {
        "table": "records_contact",
        "column": "first_name",
        "row": fixed_uuid("another row"),
        "practice": OTHER_PRACTICE,
    }
    for name, value in moved.items():
        yield _value(f"other-{name}", "value-tag", f"Moved to another {name}.", asked={name: value})
    yield _value("version-2", "value-version", "The row needs version 2.", asked={"version": 2})
    yield _value("version-byte-0", "value-version", "No such version.", version_byte=0)
    yield _value(
        "shifted-name",
        "value-tag",
        "Table and column split elsewhere.",
        asked={"table": "records_patientlast", "column": "_name"},
    )
    yield _value(
        "other-key", "value-tag", "Another column's key.", sealed_under=fixed("another column key", 32)
    )
    yield _value(
        "bit", "value-tag", "One bit.", change=lambda raw: raw[:14] + bytes([raw[14] ^ 128]) + raw[15:]
    )
    yield _value("cut", "value-tag", "The last byte is missing.", change=lambda raw: raw[:-1])
    yield _value("short", "value-size", "No room for a tag.", change=lambda raw: raw[:28])
    yield _value("nothing", "value-size", "No bytes at all.", change=lambda raw: raw[:0])


def _blind_indexes() -> Iterator[Case]:
    for name, text in (("phone", "+15550100042"), ("name", "müller|1986-04-12")):
        index = hmac.digest(COLUMN_KEY, text.encode(), "sha256")[:16]
        yield case(
            f"blind-index-{name}",
            "blind-index",
            "ok",
            "The first 16 bytes of an HMAC-SHA256.",
            key=COLUMN_KEY.hex(),
            normalised=text,
            index=index.hex(),
        )
