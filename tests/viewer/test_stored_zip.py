"""The layout of a stored ZIP, against other readers of ZIP and past 4 GiB."""

from __future__ import annotations

import io
import random
import subprocess
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.stored_zip import StoredZip, Stretch, ZipFile

MODIFIED = datetime(2026, 3, 12, 9, 30, 20, tzinfo=UTC)


def contents(count: int, *, seed: int = 1) -> list[tuple[str, bytes]]:
    source = random.Random(seed)
    return [
        (f"DICOM/S0001/I{index:07}", source.randbytes(source.randrange(0, 300))) for index in range(count)
    ]


def layout_of(files: list[tuple[str, bytes]]) -> StoredZip:
    return StoredZip(
        [ZipFile(name, len(data), zlib.crc32(data)) for name, data in files], modified_at=MODIFIED
    )


def cut(layout: StoredZip, files: list[tuple[str, bytes]], start: int, stop: int) -> bytes:
    pieces = layout.cut(start, stop)
    return b"".join(
        files[piece.file][1][piece.start : piece.stop] if isinstance(piece, Stretch) else piece
        for piece in pieces
    )


def test_unzip_finds_nothing_wrong(tmp_path: Path) -> None:
    files = contents(20)
    layout = layout_of(files)
    path = tmp_path / "scan.zip"
    path.write_bytes(cut(layout, files, 0, layout.length))
    told = subprocess.run(["unzip", "-t", path], capture_output=True, text=True, check=True).stdout
    assert "No errors detected" in told
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert [(info.filename, archive.read(info)) for info in archive.infolist()] == files
        assert {info.date_time for info in archive.infolist()} == {(2026, 3, 12, 9, 30, 20)}


def test_an_archive_without_files_is_an_archive() -> None:
    layout = layout_of([])
    assert zipfile.ZipFile(io.BytesIO(cut(layout, [], 0, layout.length))).namelist() == []


@given(st.integers(0, 8), st.data())
def test_any_stretch_is_the_same_stretch_of_the_whole(count: int, data: st.DataObject) -> None:
    files = contents(count, seed=count)
    layout = layout_of(files)
    whole = cut(layout, files, 0, layout.length)
    start = data.draw(st.integers(0, layout.length))
    stop = data.draw(st.integers(start, layout.length))
    assert len(whole) == layout.length
    assert cut(layout, files, start, stop) == whole[start:stop]
    assert all(
        not isinstance(piece, Stretch) or piece.start < piece.stop for piece in layout.cut(start, stop)
    )


class SparseArchive(io.RawIOBase):
    """An archive of zeros of any size, computed where it is read and written nowhere."""

    def __init__(self, layout: StoredZip) -> None:
        self.layout, self.position = layout, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.position = (0, self.position, self.layout.length)[whence] + offset
        return self.position

    def tell(self) -> int:
        return self.position

    def read(self, size: int = -1) -> bytes:
        stop = self.layout.length if size < 0 else min(self.layout.length, self.position + size)
        parts = [
            bytes(piece.stop - piece.start) if isinstance(piece, Stretch) else piece
            for piece in self.layout.cut(self.position, stop)
        ]
        self.position = stop
        return b"".join(parts)


@pytest.mark.parametrize(
    "lengths",
    [[3 * 2**30, 2 * 2**30, 10], [2**32 - 1, 5], [2**32, 5], [2**32 - 2, 5], [5 * 2**30]],
    ids=["offset", "length-is-the-mark", "length", "just-below", "one-long-file"],
)
def test_more_than_4_gib_is_zip64(lengths: list[int]) -> None:
    """`zipfile` reads the directory and finds each file's header where it is said to be."""
    files = [
        ZipFile(f"DICOM/S0001/I{index:07}", length, zlib.crc32(bytes(length)) if length < 100 else index)
        for index, length in enumerate(lengths)
    ]
    layout = StoredZip(files, modified_at=MODIFIED)
    with zipfile.ZipFile(SparseArchive(layout)) as archive:  # type: ignore[arg-type]
        assert [(info.filename, info.file_size, info.CRC) for info in archive.infolist()] == [
            (file.name, file.length, file.crc32) for file in files
        ]
        for info in archive.infolist():
            with archive.open(info) as content:
                assert content.read(4) == bytes(min(4, info.file_size))


def test_more_than_65535_files_are_zip64() -> None:
    layout = StoredZip([ZipFile(f"F{index:07}", 0, 0) for index in range(70_000)], modified_at=MODIFIED)
    with zipfile.ZipFile(SparseArchive(layout)) as archive:  # type: ignore[arg-type]
        assert len(archive.namelist()) == 70_000
