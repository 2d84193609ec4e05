"""ZIP archives: honest ones open, dishonest ones are refused before or while their bytes come out."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
from pathlib import Path

import pytest

from portal.dicom.archives import Budget, looks_like_zip, walk
from portal.errors import IngestRefused


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def read_all(archive: bytes, budget: Budget) -> list[bytes]:
    return [member.read() for member in walk(io.BytesIO(archive), budget=budget)]


def refusal(archive: bytes, budget: Budget | None = None) -> str:
    """The code with which an archive is refused when all of it is read."""
    with pytest.raises(IngestRefused) as refused:
        read_all(archive, budget or Budget())
    return refused.value.code


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_come_out_as_they_went_in(method: int) -> None:
    files = {"CT/1.dcm": bytes(range(256)) * 3000, "empty": b"", "ä/ö.dcm": b"x"}
    assert {m.name: m.read() for m in walk(io.BytesIO(packed(files, method)))} == files


def test_folders_are_no_members() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.mkdir("CT")
        archive.writestr("CT/1.dcm", b"x")
    assert [member.name for member in walk(stream)] == ["CT/1.dcm"]


def test_member_can_be_read_in_pieces() -> None:
    data = bytes(range(256)) * 5000
    (member,) = walk(io.BytesIO(packed({"a": data})))
    with member.open() as reader:
        pieces = list(iter(lambda: reader.read(1000), b""))
    assert max(map(len, pieces)) == 1000
    assert b"".join(pieces) == data


def test_zip64_archive_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    archive = packed({"a": b"x" * 100, "b": b"y" * 100})
    assert b"PK\x06\x06" in archive
    assert [member.read() for member in walk(io.BytesIO(archive))] == [b"x" * 100, b"y" * 100]


@pytest.mark.parametrize(
    ("name", "code"), [("own_zip_slip.zip", "zip-path"), ("own_zip_bomb.zip", "zip-ratio")]
)
def test_hostile_archives_of_the_data_set(data_dir: Path, name: str, code: str) -> None:
    assert refusal((data_dir / "malformed" / name).read_bytes()) == code


@pytest.mark.parametrize(
    "name", ["../a", "a/../../b", "/etc/a", "C:/a", "C:\\a", "a\\..\\b", "a\nb", "x" * 2000]
)
def test_names_that_lead_outside_are_refused(name: str) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        entry = zipfile.ZipInfo("placeholder")
        entry.filename = name
        archive.writestr(entry, b"x")
    assert refusal(stream.getvalue()) == "zip-path"


def test_link_is_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        entry = zipfile.ZipInfo("link")
        entry.create_system = 3
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    assert refusal(stream.getvalue()) == "zip-link"


def test_nested_archive_is_refused() -> None:
    assert refusal(packed({"inner.dcm": packed({"a": b"x"})})) == "zip-nested"


def test_encrypted_entry_is_refused() -> None:
    archive = bytearray(packed({"a": b"secret"}))
    archive[archive.index(b"PK\x01\x02") + 8] |= 1
    assert refusal(bytes(archive)) == "zip-encrypted"


@pytest.mark.parametrize(
    ("budget", "code"),
    [
        (Budget(entries=2), "zip-entries"),
        (Budget(total_bytes=2500), "zip-bytes"),
        (Budget(entry_bytes=999), "zip-bytes"),
        (Budget(ratio=5, entry_floor_bytes=10), "zip-ratio"),
        (Budget(ratio=5, total_floor_bytes=10), "zip-ratio"),
    ],
)
def test_each_budget_bites(budget: Budget, code: str) -> None:
    assert refusal(packed(dict.fromkeys("abc", b"a" * 1000)), budget) == code


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_member_that_is_read_again_is_counted_once(method: int) -> None:
    """Every file is read to be looked at and again to be stored: no reason to refuse what is within the budget."""
    budget = Budget(total_bytes=3000, ratio=5, total_floor_bytes=3000)
    for member in list(walk(io.BytesIO(packed(dict.fromkeys("abc", b"a" * 1000), method)), budget=budget)):
        for _ in range(3):
            assert member.read() == b"a" * 1000


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_large_member_is_read_at_any_place(monkeypatch: pytest.MonkeyPatch, method: int) -> None:
    monkeypatch.setattr("portal.dicom.archives.WINDOW_BYTES", 1000)
    monkeypatch.setattr("portal.dicom.inflated.STRETCH_BYTES", 5000)
    data = bytes(index * index % 251 for index in range(40_000))
    first, second = (
        member.content() for member in walk(io.BytesIO(packed({"a": data, "b": data[::-1]}, method)))
    )
    assert not first.is_in_memory
    assert b"".join(map(bytes, first.pieces())) == data
    for start, stop in ((39_000, 40_000), (0, 10), (12_345, 22_345), (39_990, 99_999), (5, 5)):
        assert b"".join(map(bytes, second.pieces(start, stop))) == data[::-1][start:stop]
        assert b"".join(map(bytes, first.pieces(start, stop))) == data[start:stop]


def test_large_member_is_held_against_its_checksum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.dicom.archives.WINDOW_BYTES", 1000)
    archive = bytearray(packed({"a": b"x" * 5000}, zipfile.ZIP_STORED))
    archive[2500] ^= 1
    (member,) = walk(io.BytesIO(bytes(archive)))
    with pytest.raises(IngestRefused) as refused:
        list(member.content().pieces())
    assert refused.value.code == "zip-damaged"


def test_small_file_that_packs_well_is_taken() -> None:
    blank = bytes(512 * 512 * 2)
    assert [member.read() for member in walk(io.BytesIO(packed({"blank": blank})))] == [blank]


def test_entry_that_understates_its_size_is_stopped() -> None:
    """The directory says 10 bytes; 100 MB would come out."""
    archive = bytearray(packed({"a": bytes(100_000_000)}))
    place = archive.index(b"PK\x01\x02")
    struct.pack_into("<L", archive, place + 24, 10)
    assert refusal(bytes(archive)) == "zip-damaged"


def test_two_entries_at_one_place_are_refused() -> None:
    """CVE-2024-0450: many directory entries over one local file."""
    archive = bytearray(packed({"a": b"x" * 1000, "b": b"x" * 1000}))
    second = archive.index(b"PK\x01\x02", archive.index(b"PK\x01\x02") + 4)
    struct.pack_into("<L", archive, second + 42, 0)
    assert refusal(bytes(archive)) == "zip-overlap"


def test_entry_that_reaches_into_the_next_is_refused() -> None:
    archive = bytearray(packed({"a": b"x" * 1000, "b": b"y" * 1000}, zipfile.ZIP_STORED))
    first = archive.index(b"PK\x01\x02")
    struct.pack_into("<2L", archive, first + 20, 1500, 1500)
    assert refusal(bytes(archive)) == "zip-overlap"


def test_changed_byte_fails_the_checksum() -> None:
    archive = bytearray(packed({"a": b"x" * 1000}, zipfile.ZIP_STORED))
    archive[500] ^= 1
    assert refusal(bytes(archive)) == "zip-damaged"


@pytest.mark.parametrize("keep", [0, 10, 21, 200, -1])
def test_cut_archive_is_refused(keep: int) -> None:
    assert refusal(packed({"a": b"x" * 1000, "b": b"y" * 999}, zipfile.ZIP_STORED)[:keep]) == "zip-damaged"


def test_every_flipped_byte_ends_in_a_member_or_a_verdict() -> None:
    whole = packed({"a": b"x" * 50, "b": b"y" * 50})
    for place in range(len(whole)):
        for mask in (0x01, 0x80, 0xFF):
            mutant = bytearray(whole)
            mutant[place] ^= mask
            with contextlib.suppress(IngestRefused):
                assert all(len(data) <= 100 for data in read_all(bytes(mutant), Budget()))


def test_zip_is_known_by_its_head() -> None:
    assert looks_like_zip(packed({"a": b""})[:4])
    assert not looks_like_zip(b"DICM")
