"""Finding the data set in a file: preamble, file meta information, transfer syntax, deflated body.

Runs in the confined child. pydicom never sees the file as a whole: it inflates a deflated body without bound
(522 kB took 1,067 MiB), and stops at small faults we can read past. A file may lack its preamble, its meta
information, the group length or the transfer syntax; then the first element tells.

Source: DICOM PS3.10 section 7.1; PS3.5 7.1 and A.5.
"""

from __future__ import annotations

import io
import mmap
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from portal.dicom.content import PIECE_BYTES
from portal.dicom.inflated import Inflated
from portal.dicom.ranged import Ranged
from portal.dicom.syntaxes import BIG_ENDIAN, EXPLICIT, IMPLICIT, Syntax, syntax_of
from portal.dicom.verdicts import refused

PREAMBLE_BYTES: Final = 128
INFLATED_FLOOR_BYTES: Final = 64 << 20
INFLATED_CAP_BYTES: Final = 2 << 30
INFLATED_RATIO: Final = 200
LONG_VRS: Final = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
TRANSFER_SYNTAX_UID: Final = 0x0010
MEDIA_STORAGE_SOP_CLASS_UID: Final = 0x0002
MEDIA_STORAGE_SOP_INSTANCE_UID: Final = 0x0003
FIRST_GROUPS: Final = (0x0004, 0x0008)
"""A data set begins with identification, or with the directory of a disc."""

Bytes = mmap.mmap | bytes | Ranged
"""A file, or its inflated body: in memory, or read where it lies."""


@dataclass(frozen=True)
class Body:
    """The data set of a file, ready to be read from `offset`; `data` is the file, or what it inflates to."""

    data: Bytes
    offset: int
    syntax: Syntax
    is_implicit: bool
    meta_sop_class_uid: str = ""
    meta_sop_instance_uid: str = ""

    def open(self, offset: int) -> BinaryIO:
        """A file object at `offset`, without a copy of a mapped file."""
        if isinstance(self.data, Ranged):
            return self.data.open(offset)
        stream = io.BytesIO(self.data) if isinstance(self.data, bytes) else self.data
        stream.seek(offset)
        return stream  # type: ignore[return-value]


def open_body(data: Bytes) -> Body:
    """Find the data set; raises `IngestRefused`: empty, not-dicom, truncated, deflate-bomb, bad-header."""
    if len(data) == 0:
        raise refused("empty")
    start = PREAMBLE_BYTES + 4 if data[PREAMBLE_BYTES : PREAMBLE_BYTES + 4] == b"DICM" else 0
    if start == 0 and not _begins_like_dicom(data):
        raise refused("not-dicom")
    meta, offset = _read_meta(data, start)
    syntax = syntax_of(meta[TRANSFER_SYNTAX_UID]) if meta.get(TRANSFER_SYNTAX_UID) else None
    if syntax is not None and syntax.is_deflated:
        data, offset = _inflate(data, offset), 0
    is_implicit, is_little_endian = _guess(data, offset, syntax)
    syntax = syntax or _guessed_syntax(is_implicit, is_little_endian)
    uids = meta.get(MEDIA_STORAGE_SOP_CLASS_UID, ""), meta.get(MEDIA_STORAGE_SOP_INSTANCE_UID, "")
    return Body(data, offset, syntax, is_implicit, *uids)


def _begins_like_dicom(data: Bytes) -> bool:
    if len(data) < 8:
        return False
    groups = (0x0002, *FIRST_GROUPS)
    return int.from_bytes(data[:2], "little") in groups or int.from_bytes(data[:2], "big") in groups


def _read_meta(data: Bytes, start: int) -> tuple[dict[int, str], int]:
    """The texts of group 0002 by element number, and where the data set begins."""
    meta: dict[int, str] = {}
    offset, group_end = start, 0
    for element, value_offset, length in _meta_elements(data, start):
        value = data[value_offset : value_offset + length]
        offset = value_offset + length
        if element == 0 and length == 4:
            group_end = offset + int.from_bytes(value, "little")
        elif length <= 64:
            meta[element] = value.decode("ascii", "replace").rstrip("\0 ")
        if group_end and offset >= group_end:
            break
    if offset > len(data):
        raise refused("truncated")
    return meta, offset


def _meta_elements(data: Bytes, start: int) -> Iterator[tuple[int, int, int]]:
    """(element number, offset of the value, its length); explicit little endian, or implicit if written so."""
    offset = start
    while len(data) - offset >= 12:
        group, element, vr, short, long = struct.unpack("<HH2sHL", data[offset : offset + 12])
        if group != 0x0002:
            return
        if vr in LONG_VRS:
            value, length = offset + 12, long
        elif _is_vr(vr):
            value, length = offset + 8, short
        else:
            value, length = offset + 8, int.from_bytes(data[offset + 4 : offset + 8], "little")
        if value + length > len(data):
            raise refused("truncated")
        yield element, value, length
        offset = value + length


def _is_vr(code: bytes) -> bool:
    return code.isalpha() and code.isupper() and len(code) == 2


def _guess(data: Bytes, offset: int, syntax: Syntax | None) -> tuple[bool, bool]:
    """(implicit?, little endian?) from the first element; a stated syntax is believed only as to byte order."""
    head = data[offset : offset + 8]
    if len(head) < 8:
        raise refused("truncated")
    is_little = syntax.is_little_endian if syntax else int.from_bytes(head[:2], "little") <= 0xFF
    return not _is_vr(head[4:6]), is_little


def _guessed_syntax(is_implicit: bool, is_little_endian: bool) -> Syntax:
    if not is_little_endian:
        return syntax_of(BIG_ENDIAN)
    return syntax_of(IMPLICIT if is_implicit else EXPLICIT)


def _inflate(data: Bytes, offset: int) -> Inflated:
    """The body of a deflated file, at most 200 times its size (64 MiB are always allowed).

    It is unpacked once to measure it, and again as it is read.
    """
    limit = min(INFLATED_CAP_BYTES, max(INFLATED_FLOOR_BYTES, INFLATED_RATIO * (len(data) - offset)))
    body = Inflated(lambda start, length: data[offset + start : offset + start + length])
    try:
        if not body.measure(limit):
            raise refused("deflate-bomb")
    except zlib.error as error:
        raise refused("bad-header") from error
    except EOFError as error:
        raise refused("truncated") from error
    if any(_pieces_but_zeros(data, offset + body.end_offset)):
        raise refused("bad-header")
    return body


def _pieces_but_zeros(data: Bytes, offset: int) -> Iterator[bytes]:
    for start in range(offset, len(data), PIECE_BYTES):
        yield data[start : start + PIECE_BYTES].strip(b"\0")
