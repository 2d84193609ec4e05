"""Every vector against the public API: what is whole opens, what isn't is refused for its reason."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from portal.errors import VaultDamaged
from portal.vault import entropy, manifest
from portal.vault.columns import blind_index, column_aad, open_value, seal_value
from portal.vault.context import Context
from portal.vault.keyring import derive_key, practice_key_aad, study_key_aad, unwrap_key, wrap_key
from portal.vault.reasons import REASONS
from portal.vault.store import Extent, Store
from portal.vault.stream import Opener, open_bytes, open_into, seal_bytes
from tests.vectors.vault import make_vectors, reference

Case = dict[str, Any]
CASES: list[Case] = [json.loads(path.read_bytes()) for path in sorted(make_vectors.FOLDER.glob("*.json"))]
GOOD = [case for case in CASES if case["expect"] == "ok"]
BAD = [case for case in CASES if case["expect"] != "ok"]


def of(cases: list[Case], *operations: str) -> list[Any]:
    chosen = [case for case in cases if case["operation"] in operations]
    return [pytest.param(case, id=case["case"]) for case in chosen]


def raw(case: Case, field: str) -> bytes:
    return bytes.fromhex(case[field])


def sealed_bytes(case: Case) -> bytes:
    if "sealed_hex" in case:
        return raw(case, "sealed_hex")
    return reference.build(case["sealed"], dek=raw(case, "dek"), dek_id=raw(case, "dek_id"))


def object_place(case: Case) -> dict[str, Any]:
    places = {name: UUID(case["context"][name]) for name in ("practice", "study", "series", "instance")}
    return {
        "dek": raw(case, "dek"),
        "dek_id": raw(case, "dek_id"),
        "context": Context(**case["context"] | places),
    }


def key_aad(place: dict[str, Any]) -> bytes:
    if place["label"] == "pk":
        return practice_key_aad(UUID(place["practice"]), place["version"])
    ids = (UUID(place[name]) for name in ("practice", "patient", "study"))
    return study_key_aad(*ids, place["generation"])


def cell_aad(cell: dict[str, Any]) -> bytes:
    return column_aad(
        cell["table"], cell["column"], UUID(cell["row"]), UUID(cell["practice"]), cell["version"]
    )


def open_object(case: Case, _: Path) -> bytes:
    return open_bytes(sealed_bytes(case), **object_place(case), length=case["length"])


def unwrap(case: Case, _: Path) -> bytes:
    return unwrap_key(raw(case, "kek"), raw(case, "blob_hex"), aad=key_aad(case["place"]))


def read_value(case: Case, _: Path) -> bytes:
    version = case["cell"]["version"]
    return open_value(raw(case, "key"), raw(case, "sealed_hex"), aad=cell_aad(case["cell"]), version=version)


def decode_manifest(case: Case, _: Path) -> manifest.Manifest:
    return manifest.decode(case["text"].encode(), sha256=case["sha256"], generation=case["generation"])


def read_pack(case: Case, folder: Path) -> bytes:
    for name, content in case["packs"].items():
        (folder / name[:2]).mkdir()
        (folder / name[:2] / name).write_bytes(bytes.fromhex(content))
    pack, extent = Store(folder).open_pack(case["pack"]), Extent(**case["extent"])
    pack.check(extent)
    return bytes(pack.view(extent))


OPERATIONS: dict[str, Callable[[Case, Path], object]] = {
    "open-object": open_object,
    "unwrap": unwrap,
    "open-value": read_value,
    "decode-manifest": decode_manifest,
    "read-pack": read_pack,
}


@pytest.mark.parametrize("case", of(BAD, *OPERATIONS))
def test_bad_vector_is_refused_for_its_reason(case: Case, tmp_path: Path) -> None:
    with pytest.raises(VaultDamaged) as refusal:
        OPERATIONS[case["operation"]](case, tmp_path)
    assert refusal.value.reason == case["expect"]


@pytest.mark.parametrize("case", of(BAD, "open-object"))
def test_chunk_reader_refuses_a_bad_object_for_the_same_reason(case: Case) -> None:
    def read() -> list[bytes]:
        opener = Opener(io.BytesIO(sealed_bytes(case)), **object_place(case), length=case["length"])
        return list(opener.chunks())

    with pytest.raises(VaultDamaged) as refusal:
        read()
    assert refusal.value.reason == case["expect"]


@pytest.mark.parametrize(
    "case", of([case for case in CASES if case.get("length") is not None], "open-object")
)
def test_frame_reader_says_the_same_of_every_object(case: Case) -> None:
    place = object_place(case)
    info = next(place.pop("context").encode_run([case["context"]["index"]]))
    room = bytearray(case["length"])
    if case in GOOD:
        open_into(memoryview(sealed_bytes(case)), memoryview(room), **place, info=info)
        assert hashlib.sha256(room).hexdigest() == case["plaintext_sha256"]
        return
    with pytest.raises(VaultDamaged) as refusal:
        open_into(memoryview(sealed_bytes(case)), memoryview(room), **place, info=info)
    assert refusal.value.reason == case["expect"]


@pytest.mark.parametrize("case", of(CASES, "open-object"))
def test_recipe_gives_the_sealed_bytes_the_vector_was_made_with(case: Case) -> None:
    assert hashlib.sha256(sealed_bytes(case)).hexdigest() == case["sealed_sha256"]


@pytest.mark.parametrize("case", of(GOOD, "open-object"))
def test_good_object_opens_and_is_sealed_again_to_the_same_bytes(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = sealed_bytes(case)
    plaintext = open_object(case, tmp_path)
    assert hashlib.sha256(plaintext).hexdigest() == case["plaintext_sha256"]
    monkeypatch.setattr(entropy, "random_bytes", lambda count: sealed[28 : 28 + count])
    assert seal_bytes(plaintext, **object_place(case)) == sealed


@pytest.mark.parametrize("case", of(GOOD, "unwrap"))
def test_good_wrap_opens_and_is_wrapped_again_to_the_same_bytes(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = raw(case, "blob_hex")
    assert unwrap(case, tmp_path) == raw(case, "key")
    monkeypatch.setattr(entropy, "random_bytes", lambda count: blob[:count])
    assert wrap_key(raw(case, "kek"), raw(case, "key"), aad=key_aad(case["place"])) == blob


@pytest.mark.parametrize("case", of(GOOD, "open-value"))
def test_good_value_opens_and_is_sealed_again_to_the_same_bytes(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed, plaintext = raw(case, "sealed_hex"), raw(case, "plaintext_hex")
    assert read_value(case, tmp_path) == plaintext
    monkeypatch.setattr(entropy, "random_bytes", lambda count: sealed[1 : 1 + count])
    assert seal_value(raw(case, "key"), plaintext, aad=cell_aad(case["cell"])) == sealed


@pytest.mark.parametrize("case", of(GOOD, "decode-manifest"))
def test_good_manifest_is_encoded_again_to_the_same_bytes(case: Case, tmp_path: Path) -> None:
    decoded = decode_manifest(case, tmp_path)
    assert len(decoded.entries) == case["entry_count"]
    assert manifest.encode(reversed(decoded.entries), decoded.header) == case["text"].encode()


@pytest.mark.parametrize("case", of(GOOD, "read-pack"))
def test_good_pack_gives_the_extent(case: Case, tmp_path: Path) -> None:
    assert hashlib.sha256(read_pack(case, tmp_path)).hexdigest() == case["extent"]["sha256"]


@pytest.mark.parametrize("case", of(GOOD, "derive"))
def test_derived_key_is_the_vectors(case: Case) -> None:
    parts = [UUID(value) if kind == "uuid" else value for kind, value in case["parts"]]
    assert derive_key(raw(case, "key"), case["label"], *parts) == raw(case, "derived")


@pytest.mark.parametrize("case", of(GOOD, "blind-index"))
def test_blind_index_is_the_vectors(case: Case) -> None:
    assert blind_index(raw(case, "key"), case["normalised"]) == raw(case, "index")


def test_the_vectors_cover_every_reason_and_no_other() -> None:
    assert {case["expect"] for case in BAD} == REASONS


def test_every_vector_is_read_by_some_test() -> None:
    assert {case["operation"] for case in BAD} == OPERATIONS.keys()
    assert {case["operation"] for case in GOOD} == OPERATIONS.keys() | {"derive", "blind-index"}


def test_the_files_are_what_the_generator_makes() -> None:
    files = {path.stem: path.read_text(encoding="utf-8") for path in make_vectors.FOLDER.glob("*.json")}
    assert files == {name: make_vectors.spell(case) for name, case in make_vectors.all_cases().items()}
