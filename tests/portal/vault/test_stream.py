"""The object format as its callers see it."""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import zipfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.errors import VaultDamaged
from portal.vault.stream import (
    CHUNK_BYTES,
    HEADER_BYTES,
    MAX_PLAINTEXT,
    TAG_BYTES,
    Opener,
    SealedFile,
    Sealer,
    open_bytes,
    seal_bytes,
    sealed_length,
)
from tests.portal.vault.places import a_context, a_place

EDGES = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 1)
PLACE = a_place()
SHORT = b"forty-five bytes of a picture, all of it sealed"
SEALED_SHORT = seal_bytes(SHORT, **PLACE)

lengths = st.one_of(st.sampled_from(EDGES), st.integers(0, 3 * CHUNK_BYTES))


def bytes_of(length: int) -> bytes:
    return (hashlib.shake_128(b"content").digest(65_536) * (length // 65_536 + 1))[:length]


def sealed_in_pieces(plaintext: bytes, sizes: list[int], place: dict[str, Any]) -> bytes:
    sink, source = io.BytesIO(), io.BytesIO(plaintext)
    with Sealer(sink, **place, length=len(plaintext)) as sealer:
        for size in sizes:
            sealer.write(source.read(size))
        sealer.write(source.read())
    assert sealer.digest == hashlib.sha256(sink.getvalue()).hexdigest()
    return sink.getvalue()


@pytest.mark.parametrize("length", EDGES)
def test_object_opens_to_what_was_sealed(length: int) -> None:
    plaintext = bytes_of(length)
    sealed = seal_bytes(plaintext, **PLACE)
    assert len(sealed) == sealed_length(length)
    assert open_bytes(sealed, **PLACE, length=length) == plaintext


@settings(max_examples=60, deadline=None)
@given(length=lengths, sizes=st.lists(st.integers(0, 2 * CHUNK_BYTES), max_size=5))
def test_stream_written_in_any_pieces_opens_to_what_was_sealed(length: int, sizes: list[int]) -> None:
    plaintext = bytes_of(length)
    sealed = sealed_in_pieces(plaintext, sizes, PLACE)
    assert open_bytes(sealed, **PLACE, length=length) == plaintext


@settings(max_examples=60, deadline=None)
@given(length=lengths, start=st.integers(0, 3 * CHUNK_BYTES), count=st.integers(0, 2 * CHUNK_BYTES))
def test_range_is_the_slice_of_the_plaintext(length: int, start: int, count: int) -> None:
    plaintext = bytes_of(length)
    sealed = b"before" + seal_bytes(plaintext, **PLACE) + b"after"
    where = {"offset": 6, "sealed_length": sealed_length(length)}
    expected = plaintext[start : start + count]
    for source in (sealed, io.BytesIO(sealed)):
        with SealedFile([Opener(source, **PLACE, length=length, **where)]) as file:
            file.seek(start)
            assert file.read(count) == expected


@settings(max_examples=400, deadline=None)
@given(bit=st.integers(0, len(SEALED_SHORT) * 8 - 1), knows_length=st.booleans())
def test_no_flipped_bit_is_accepted(bit: int, knows_length: bool) -> None:
    changed = bytearray(SEALED_SHORT)
    changed[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises(VaultDamaged):
        open_bytes(changed, **PLACE, length=len(SHORT) if knows_length else None)


def test_no_bit_of_the_header_may_differ() -> None:
    for bit in range(HEADER_BYTES * 8):
        changed = bytearray(SEALED_SHORT)
        changed[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(VaultDamaged):
            open_bytes(changed, **PLACE, length=None)


@settings(max_examples=100, deadline=None)
@given(cut=st.integers(0, len(SEALED_SHORT) - 1), tail=st.binary(max_size=40))
def test_no_cut_or_extended_object_is_accepted(cut: int, tail: bytes) -> None:
    for sealed in (SEALED_SHORT[:cut], SEALED_SHORT + tail + b"\0"):
        with pytest.raises(VaultDamaged):
            open_bytes(sealed, **PLACE, length=None)


def test_a_chunk_is_released_before_a_later_one_is_found_damaged_but_never_the_damaged_one() -> None:
    plaintext = bytes_of(2 * CHUNK_BYTES)
    sealed = bytearray(seal_bytes(plaintext, **PLACE))
    sealed[-1] ^= 1
    chunks = Opener(sealed, **PLACE, length=len(plaintext)).chunks()
    assert next(chunks) == plaintext[:CHUNK_BYTES]
    with pytest.raises(VaultDamaged):
        next(chunks)


def test_two_objects_of_the_same_bytes_share_nothing_but_what_is_public() -> None:
    again = seal_bytes(SHORT, **PLACE)
    assert again[:28] == SEALED_SHORT[:28]
    assert again[28:92] != SEALED_SHORT[28:92]
    assert again[HEADER_BYTES:] != SEALED_SHORT[HEADER_BYTES:]


@pytest.mark.parametrize("length", [len(SHORT) - 1, len(SHORT) + 1])
def test_sealer_refuses_another_length_than_announced(length: int) -> None:
    def seal() -> None:
        with Sealer(io.BytesIO(), **PLACE, length=length) as sealer:
            sealer.write(SHORT)

    with pytest.raises(ValueError, match="bytes came than the object was announced with"):
        seal()


def test_sealer_that_was_left_by_an_error_leaves_no_readable_object() -> None:
    sink = io.BytesIO()

    def break_off() -> None:
        with Sealer(sink, **PLACE, length=CHUNK_BYTES) as sealer:
            sealer.write(bytes(CHUNK_BYTES))
            raise InterruptedError

    with pytest.raises(InterruptedError):
        break_off()
    with pytest.raises(VaultDamaged):
        open_bytes(sink.getvalue(), **PLACE, length=None)


def test_closed_sealer_takes_nothing_more() -> None:
    sealer = Sealer(io.BytesIO(), **PLACE, length=0)
    with pytest.raises(ValueError, match="once the object is closed"):
        assert sealer.digest
    sealer.close()
    sealer.close()
    with pytest.raises(ValueError, match="More bytes came"):
        sealer.write(b"x")


@pytest.mark.parametrize(
    "change",
    [{"dek": bytes(16)}, {"dek_id": bytes(15)}, {"length": -1}, {"length": MAX_PLAINTEXT + 1}],
    ids=["dek", "dek-id", "negative", "over-cap"],
)
def test_sealer_refuses_what_the_format_cannot_hold(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"has 32 bytes|has 16 bytes|holds 0 bytes to 4 GiB"):
        Sealer(io.BytesIO(), **{**PLACE, "length": 1, **change})


@pytest.mark.parametrize(
    "change",
    [{"kind": "movie"}, {"index": -1}, {"index": 2**64}, {"level": 2**32}, {"generation": -1}],
    ids=str,
)
def test_context_refuses_what_it_cannot_encode(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"Unknown kind|out of range"):
        a_context(**change)


def test_a_file_that_shrinks_while_it_is_read_is_damaged() -> None:
    file = io.BytesIO(SEALED_SHORT)
    opener = Opener(file, **PLACE, length=len(SHORT))
    file.truncate(HEADER_BYTES + TAG_BYTES)
    with pytest.raises(VaultDamaged) as refusal:
        opener.chunk(0)
    assert refusal.value.reason == "size"


def test_an_object_said_to_be_longer_than_its_source_is_damaged() -> None:
    with pytest.raises(VaultDamaged) as refusal:
        Opener(SEALED_SHORT, **PLACE, length=None, sealed_length=len(SEALED_SHORT) + 1)
    assert refusal.value.reason == "size"


def archive(entries: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        for number in range(entries):
            written.writestr(f"{number:03}", secrets.token_bytes(9_000))
    return file.getvalue()


@pytest.mark.parametrize("part_bytes", [70_000, CHUNK_BYTES, 10**9])
def test_sealed_parts_read_as_one_archive(part_bytes: int) -> None:
    plain = archive(90)
    parts = [plain[i : i + part_bytes] for i in range(0, len(plain), part_bytes)]
    places = [a_place(kind="spool", index=number) for number in range(len(parts) + 1)]
    sealed = [seal_bytes(part, **place) for part, place in zip([*parts, b""], places, strict=True)]
    openers = [Opener(part, **place, length=None) for part, place in zip(sealed, places, strict=True)]
    with (
        SealedFile(openers) as file,
        zipfile.ZipFile(file) as opened,
        zipfile.ZipFile(io.BytesIO(plain)) as own,
    ):
        assert opened.testzip() is None
        assert opened.namelist() == own.namelist()
        assert opened.read("042") == own.read("042")


@settings(max_examples=40, deadline=None)
@given(moves=st.lists(st.tuples(st.integers(0, 2), st.integers(-700_000, 700_000), st.integers(-1, 300_000))))
def test_sealed_file_behaves_as_a_file_of_the_plaintext(moves: list[tuple[int, int, int]]) -> None:
    plain = bytes_of(600_000)
    file, own = SealedFile([Opener(seal_bytes(plain, **PLACE), **PLACE, length=None)]), io.BytesIO(plain)
    for whence, offset, count in moves:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: own.tell(), os.SEEK_END: len(plain)}[whence]
        target = max(0, base + offset)
        assert file.seek(target - base, whence) == own.seek(target)
        assert file.read(count) == own.read(count)
        assert file.tell() == own.tell()


def test_sealed_file_has_nothing_before_its_beginning() -> None:
    with SealedFile([]) as file:
        assert file.read() == b""
        with pytest.raises(ValueError, match="before the beginning"):
            file.seek(-1)


def test_damage_shows_through_zipfile() -> None:
    sealed = bytearray(seal_bytes(archive(3), **PLACE))
    sealed[HEADER_BYTES + 40] ^= 1
    with SealedFile([Opener(sealed, **PLACE, length=None)]) as file, pytest.raises(VaultDamaged):
        zipfile.ZipFile(file)


def test_no_key_is_ever_shown() -> None:
    opener = Opener(SEALED_SHORT, **PLACE, length=None)
    shown = repr(opener) + repr(vars(opener)) + repr(Sealer(io.BytesIO(), **PLACE, length=0).__dict__)
    assert PLACE["dek"].hex() not in shown
    assert repr(PLACE["dek"])[2:-1] not in shown
