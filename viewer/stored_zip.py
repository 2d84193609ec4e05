"""A ZIP archive of stored (uncompressed) files whose every byte is known before the first is read.

Lengths and CRC-32s come from the study's manifest, so the archive has a length, can be cut anywhere and goes on from
there. This lays out names, headers and offsets; the files' own bytes are somebody else's.

Source: PKWARE APPNOTE 6.3.10, 4.3 (order), 4.5.3 (ZIP64), 4.4.4 bit 11 is not needed: names are ASCII.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END: Final = struct.Struct("<4sHHHHIIH")
_END64: Final = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR64: Final = struct.Struct("<4sIQI")
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF
_PLAIN, _WITH_ZIP64 = 20, 45  # version needed to extract: 2.0, 4.5
_UNIX: Final = 3 << 8
_MODE: Final = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class ZipFile:
    """A file to be stored: its ASCII name in the archive, its length in bytes and its CRC-32."""

    name: str
    length: int
    crc32: int


class Stretch(NamedTuple):
    """Bytes `start` to `stop` (exclusive) of file number `file`."""

    file: int
    start: int
    stop: int


class StoredZip:
    """The layout of an archive: local header, file, local header, file… central directory, end.

    `modified_at` is written as the time of every file (UTC, from 1980, in steps of 2 s).
    """

    def __init__(self, files: Sequence[ZipFile], *, modified_at: datetime) -> None:
        self._files = tuple(files)
        self.modified = self._dos_time = _dos_time(modified_at)
        self._headers = [self._local_header(file) for file in self._files]
        self._starts: list[int] = []
        position = 0
        for file, header in zip(self._files, self._headers, strict=True):
            self._starts.append(position)
            position += len(header) + file.length
        self._directory_start = position
        self._tail = self._directory()
        self.length = position + len(self._tail)
        """Bytes of the whole archive."""

    def cut(self, start: int, stop: int) -> Iterator[bytes | Stretch]:
        """What bytes `start` to `stop` (exclusive) of the archive are made of, in order; nothing empty."""
        position = start
        while position < min(stop, self._directory_start):
            index = bisect_right(self._starts, position) - 1
            header, length = self._headers[index], self._files[index].length
            within, limit = position - self._starts[index], stop - self._starts[index]
            if within < len(header):
                piece: bytes | Stretch = header[within:limit]
                position += len(piece)
            else:
                begin, end = within - len(header), min(length, limit - len(header))
                piece = Stretch(index, begin, end)
                position += end - begin
            if piece and not (isinstance(piece, Stretch) and piece.start == piece.stop):
                yield piece
        if position < stop:
            yield self._tail[position - self._directory_start : stop - self._directory_start]

    def _local_header(self, file: ZipFile) -> bytes:
        name, is_long = file.name.encode("ascii"), file.length >= _MAX32
        extra = struct.pack("<HHQQ", 1, 16, file.length, file.length) if is_long else b""
        short = _MAX32 if is_long else file.length
        needed = _WITH_ZIP64 if is_long else _PLAIN
        fields = (b"PK\3\4", needed, 0, 0, *self._dos_time, file.crc32, short, short, len(name), len(extra))
        return _LOCAL.pack(*fields) + name + extra

    def _directory(self) -> bytes:
        rows = b"".join(
            self._central(file, start) for file, start in zip(self._files, self._starts, strict=True)
        )
        return rows + self._end(len(rows))

    def _central(self, file: ZipFile, start: int) -> bytes:
        name = file.name.encode("ascii")
        long = [file.length, file.length] if file.length >= _MAX32 else []
        long += [start] if start >= _MAX32 else []
        extra = struct.pack(f"<HH{len(long)}Q", 1, 8 * len(long), *long) if long else b""
        needed = _WITH_ZIP64 if long else _PLAIN
        short = min(file.length, _MAX32)
        fields = (
            *(b"PK\1\2", _UNIX | needed, needed, 0, 0, *self._dos_time, file.crc32, short, short),
            *(len(name), len(extra), 0, 0, 0, _MODE, min(start, _MAX32)),
        )
        return _CENTRAL.pack(*fields) + name + extra

    def _end(self, directory_bytes: int) -> bytes:
        count, start = len(self._files), self._directory_start
        end64 = b""
        if count >= _MAX16 or start >= _MAX32 or directory_bytes >= _MAX32:
            versions = (_UNIX | _WITH_ZIP64, _WITH_ZIP64)
            sizes = (count, count, directory_bytes, start)
            end64 = _END64.pack(b"PK\6\6", _END64.size - 12, *versions, 0, 0, *sizes)
            end64 += _LOCATOR64.pack(b"PK\6\7", 0, start + directory_bytes, 1)
        short = min(count, _MAX16)
        return end64 + _END.pack(
            b"PK\5\6", 0, 0, short, short, min(directory_bytes, _MAX32), min(start, _MAX32), 0
        )


def _dos_time(moment: datetime) -> tuple[int, int]:
    """(time, date) of MS-DOS."""
    time = moment.hour << 11 | moment.minute << 5 | moment.second // 2
    return time, (max(1980, moment.year) - 1980) << 9 | moment.month << 5 | moment.day
