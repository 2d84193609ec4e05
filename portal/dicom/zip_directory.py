"""The directory of a ZIP, read strictly: where each entry lies and what it states about itself.

Byte layouts (little endian), APPNOTE 6.3.10:

    end of directory   4.3.16   "PK\\5\\6" disk(2) disk(2) here(2) entries(2) length(4) offset(4) comment length(2)
    ZIP64 locator      4.3.15   "PK\\6\\7" disk(4) offset of the ZIP64 end(8) disks(4)
    ZIP64 end          4.3.14   "PK\\6\\6" size(8) made(2) needed(2) disk(4) disk(4) here(8) entries(8) length(8)
                                offset(8)
    directory entry    4.3.12   46 bytes, then name, extra, comment
    local header       4.3.7    30 bytes, then name, extra, data
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

from portal.dicom.verdicts import refused

END: Final = struct.Struct("<4s4H2LH")
LOCATOR64: Final = struct.Struct("<4sLQL")
END64: Final = struct.Struct("<4sQ2H2L4Q")
ENTRY: Final = struct.Struct("<4s2B5H3L5H2L")
LOCAL: Final = struct.Struct("<4s5H3L2H")
MAX_COMMENT_BYTES: Final = 0xFFFF
MAX_ENTRY_BYTES: Final = ENTRY.size + 4096
"""Room for a long name and its extra fields; a directory that needs more on average is no directory of scans."""
UTF8_FLAG: Final = 0x0800
ZIP64_EXTRA: Final = 0x0001


@dataclass(frozen=True)
class Entry:
    """One entry as the directory states it; lengths and offsets in bytes."""

    name: str
    system: int
    flags: int
    method: int
    crc: int
    packed_length: int
    length: int
    external_attributes: int
    offset: int
    least_end: int
    """The earliest byte at which its data can end."""

    @property
    def is_folder(self) -> bool:
        """Folders are entries without data whose name ends in a slash."""
        return self.name.endswith(("/", "\\")) and self.length == 0

    def data_offset(self, fileobj: BinaryIO) -> int:
        """Where the data begin: after the local header, whose name and extra field have lengths of their own."""
        fileobj.seek(self.offset)
        header = fileobj.read(LOCAL.size)
        if len(header) != LOCAL.size or header[:4] != b"PK\x03\x04":
            raise refused("zip-damaged")
        *_, name_length, extra_length = LOCAL.unpack(header)
        return int(self.offset + LOCAL.size + name_length + extra_length)


def read_directory(fileobj: BinaryIO, max_entries: int) -> tuple[list[Entry], int]:
    """All entries, and the offset at which the directory begins.

    Raises `IngestRefused`: `zip-entries` before reading more than `max_entries`, `zip-damaged`.
    """
    count, length, offset, end = _find_directory(fileobj)
    if count > max_entries or length > max_entries * MAX_ENTRY_BYTES:
        raise refused("zip-entries")
    if offset + length != end:
        raise refused("zip-damaged")
    fileobj.seek(offset)
    directory = fileobj.read(length)
    if len(directory) != length:
        raise refused("zip-damaged")
    return _entries(directory, count), offset


def _find_directory(fileobj: BinaryIO) -> tuple[int, int, int, int]:
    """(entries, length, offset, where it must end), from the record at the end of the file."""
    total = fileobj.seek(0, 2)
    tail_offset = max(0, total - END.size - MAX_COMMENT_BYTES)
    fileobj.seek(tail_offset)
    tail = fileobj.read(total - tail_offset)
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < END.size:
        raise refused("zip-damaged")
    _, disk, start_disk, here, count, length, offset, _ = END.unpack_from(tail, place)
    end = tail_offset + place
    if tail[place - LOCATOR64.size : place].startswith(b"PK\x06\x07"):
        return _find_directory64(fileobj, end)
    if disk or start_disk or here != count:
        raise refused("zip-damaged")
    return count, length, offset, end


def _find_directory64(fileobj: BinaryIO, end: int) -> tuple[int, int, int, int]:
    locator = _read_at(fileobj, end - LOCATOR64.size, LOCATOR64.size)
    magic, _, end64, disks = LOCATOR64.unpack(locator)
    if magic != b"PK\x06\x07" or disks > 1:
        raise refused("zip-damaged")
    record = END64.unpack(_read_at(fileobj, end64, END64.size))
    magic, _, _, _, disk, start_disk, here, count, length, offset = record
    if magic != b"PK\x06\x06" or disk or start_disk or here != count:
        raise refused("zip-damaged")
    return count, length, offset, end64


def _read_at(fileobj: BinaryIO, offset: int, length: int) -> bytes:
    if not 0 <= offset < 1 << 62:
        raise refused("zip-damaged")
    fileobj.seek(offset)
    piece = fileobj.read(length)
    if len(piece) != length:
        raise refused("zip-damaged")
    return piece


def _entries(directory: bytes, count: int) -> list[Entry]:
    entries, position = [], 0
    for _ in range(count):
        entry, position = _entry(directory, position)
        entries.append(entry)
    if position != len(directory):
        raise refused("zip-damaged")
    return entries


def _entry(directory: bytes, position: int) -> tuple[Entry, int]:
    """The entry at `position`, and where the next one begins."""
    if len(directory) - position < ENTRY.size:
        raise refused("zip-damaged")
    fields = ENTRY.unpack_from(directory, position)
    magic, _, system, _, flags, method, _, _, crc, packed, length = fields[:11]
    name_length, extra_length, comment_length, _, _, attributes, offset = fields[11:]
    names = position + ENTRY.size
    extras = names + name_length
    following = extras + extra_length + comment_length
    if magic != b"PK\x01\x02" or following > len(directory):
        raise refused("zip-damaged")
    length, packed, offset = _large(directory[extras : extras + extra_length], [length, packed, offset])
    name = directory[names:extras].decode("utf-8" if flags & UTF8_FLAG else "cp437", "replace")
    least_end = offset + LOCAL.size + name_length + packed
    return Entry(name, system, flags, method, crc, packed, length, attributes, offset, least_end), following


def _large(extra: bytes, values: list[int]) -> list[int]:
    """Replace each 0xFFFFFFFF by the 64-bit value of the ZIP64 extra field, in order (4.5.3)."""
    wide = _extra(extra, ZIP64_EXTRA)
    for index, value in enumerate(values):
        if value == 0xFFFFFFFF:
            if len(wide) < 8:
                raise refused("zip-damaged")
            values[index], wide = int.from_bytes(wide[:8], "little"), wide[8:]
    return values


def _extra(extra: bytes, wanted: int) -> bytes:
    while len(extra) >= 4:
        identifier, length = struct.unpack_from("<2H", extra)
        if identifier == wanted:
            return extra[4 : 4 + length]
        extra = extra[4 + length :]
    return b""
