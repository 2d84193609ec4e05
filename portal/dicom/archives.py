"""Walking a ZIP under budgets, without unpacking anything to disk.

Python's `zipfile` (3.11.7) takes archives whose files lie over each other and believes the sizes they state,
so the directory is read here, by arithmetic, and data are counted as they come out. Names are labels only:
nothing is ever written under one.

`walk` refuses the archive as a whole; reading a member refuses what only its bytes show. Of those, only
`zip-nested` is about the member alone.

Source: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5.
"""

from __future__ import annotations

import stat
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from portal.dicom.content import PIECE_BYTES, WINDOW_BYTES, Buffer, Content, Whole
from portal.dicom.inflated import Inflated
from portal.dicom.verdicts import refused
from portal.dicom.zip_directory import Entry, read_directory

MIB: Final = 1 << 20
GIB: Final = 1 << 30
STORED: Final = 0
DEFLATED: Final = 8
READ_BYTES: Final = 256 * 1024
ZIP_HEADS: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
ENCRYPTED_FLAGS: Final = 0x0001 | 0x0040 | 0x2000
UNIX: Final = 3


@dataclass(frozen=True)
class Budget:
    """What an archive may cost; the floors keep small, well packed files from being refused."""

    entries: int = 20_000
    total_bytes: int = 8 * GIB
    entry_bytes: int = 2 * GIB
    ratio: int = 200
    entry_floor_bytes: int = 4 * MIB
    """A blank 512 x 512 slice packs 1,000 to 1: below this size a member's ratio isn't asked."""
    total_floor_bytes: int = 64 * MIB
    label_characters: int = 1024


DEFAULT: Final = Budget()


@dataclass
class _Spent:
    """Bytes that really came out of the archive so far, over all its members; read again, a member counts once."""

    archive_bytes: int
    unpacked_bytes: int = 0
    _of_members: dict[int, int] = field(default_factory=dict)

    def count(self, entry: Entry, length: int) -> None:
        """`length` bytes of an entry have come out."""
        more = length - self._of_members.get(entry.offset, 0)
        if more > 0:
            self._of_members[entry.offset] = length
            self.unpacked_bytes += more


@dataclass(frozen=True)
class Member:
    """One file of the archive. `name` is a label, never a path to write to; `length_bytes` is what it states."""

    name: str
    length_bytes: int
    _open: Callable[[], MemberReader] = field(repr=False)
    _stretch: Callable[[], _Stretches] = field(repr=False)

    def open(self) -> MemberReader:
        """A reader of the plain bytes; raises `IngestRefused` if the member is itself a ZIP."""
        return self._open()

    def read(self) -> bytes:
        """The whole member, at most the budget's entry size."""
        with self.open() as reader:
            return reader.read()

    def content(self) -> Content:
        """The member to be read at any place: a small one whole, a large one where it lies."""
        if self.length_bytes <= WINDOW_BYTES:
            return Whole(self.read())
        return LargeMember(self, self._stretch())


def looks_like_zip(head: bytes) -> bool:
    """Whether a file that begins with `head` is a ZIP."""
    return head[:4] in ZIP_HEADS


def walk(fileobj: BinaryIO, *, budget: Budget = DEFAULT) -> Iterator[Member]:
    """Every file of the ZIP in `fileobj` (seekable, binary), in the order of its directory.

    Raises `IngestRefused` before the first member if anything in the directory is wrong or over the budget.
    Members share `fileobj`, so read them one at a time.
    """
    entries, archive_bytes = read_directory(fileobj, budget.entries)
    for entry in entries:
        _check_entry(entry, budget)
    limits = _data_limits(entries, archive_bytes)
    if sum(entry.length for entry in entries) > budget.total_bytes:
        raise refused("zip-bytes")
    spent = _Spent(archive_bytes)
    return (
        _member(fileobj, entry, limits[entry.offset], budget, spent)
        for entry in entries
        if not entry.is_folder
    )


def _member(fileobj: BinaryIO, entry: Entry, end: int, budget: Budget, spent: _Spent) -> Member:
    return Member(
        entry.name,
        entry.length,
        lambda: MemberReader(fileobj, entry, end, budget, spent),
        lambda: _stretches(fileobj, entry),
    )


def _check_entry(entry: Entry, budget: Budget) -> None:
    if entry.flags & ENCRYPTED_FLAGS:
        raise refused("zip-encrypted")
    if entry.method not in (STORED, DEFLATED):
        raise refused("zip-damaged")
    if _is_special(entry):
        raise refused("zip-link")
    if _leads_outside(entry.name) or len(entry.name) > budget.label_characters:
        raise refused("zip-path")
    if entry.length > budget.entry_bytes:
        raise refused("zip-bytes")
    if entry.method == STORED and entry.length != entry.packed_length:
        raise refused("zip-damaged")
    if entry.length > max(budget.entry_floor_bytes, budget.ratio * entry.packed_length):
        raise refused("zip-ratio")


def _is_special(entry: Entry) -> bool:
    """Links, devices, pipes: anything Unix that is neither a file nor a folder."""
    kind = stat.S_IFMT(entry.external_attributes >> 16)
    return entry.system == UNIX and kind not in (0, stat.S_IFREG, stat.S_IFDIR)


def _leads_outside(name: str) -> bool:
    """A path that leaves its folder, begins at a root or a drive, or hides a control character."""
    parts = name.replace("\\", "/").split("/")
    has_drive = len(name) > 1 and name[1] == ":"
    return (
        not name or parts[0] == "" or has_drive or ".." in parts or any(character < " " for character in name)
    )


def _data_limits(entries: list[Entry], directory_offset: int) -> dict[int, int]:
    """Where each entry's bytes must end: at the next entry, or at the directory.

    Two entries at one place, or one that reaches into the next, are how a small archive unpacks to a large one.
    """
    limits: dict[int, int] = {}
    end = directory_offset
    for entry in sorted(entries, key=lambda entry: entry.offset, reverse=True):
        if entry.offset in limits or entry.least_end > end:
            raise refused("zip-overlap")
        limits[entry.offset] = end
        end = entry.offset
    return limits


_Stretches = Callable[[int, int], bytes]


def _stretches(fileobj: BinaryIO, entry: Entry) -> _Stretches:
    """Gives some of the plain bytes from one offset to another."""
    begin = entry.data_offset(fileobj)

    def packed(offset: int, length: int) -> bytes:
        fileobj.seek(begin + offset)
        return fileobj.read(min(length, entry.packed_length - offset))

    if entry.method == DEFLATED:
        return Inflated(packed, entry.length).some
    return lambda start, stop: packed(start, stop - start)


class LargeMember:
    """A member that isn't held in memory (a `Content`).

    Read from end to end it is held against its length, checksum and budgets, as by `MemberReader`: do that first.
    """

    is_in_memory = False

    def __init__(self, member: Member, some: _Stretches) -> None:
        self._member, self._some = member, some
        self.length = member.length_bytes

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[Buffer]:
        """In pieces of at most 256 KiB. Raises `IngestRefused("zip-damaged")` where a member is not as it was."""
        end = self.length if stop is None else min(stop, self.length)
        if (start, end) == (0, self.length):
            with self._member.open() as reader:
                yield from iter(lambda: reader.read(PIECE_BYTES), b"")
            return
        while start < end:
            piece = self._piece(start, min(start + PIECE_BYTES, end))
            yield piece
            start += len(piece)

    def _piece(self, start: int, stop: int) -> bytes:
        try:
            if piece := self._some(start, stop):
                return piece
        except (zlib.error, EOFError):
            pass
        raise refused("zip-damaged")


class MemberReader:
    """Reads one member, counting and checking what comes out.

    Raises `IngestRefused`: `zip-damaged` for a wrong length or CRC, `zip-ratio`, `zip-bytes`, `zip-nested`.
    """

    def __init__(self, fileobj: BinaryIO, entry: Entry, end: int, budget: Budget, spent: _Spent) -> None:
        self._file, self._entry, self._budget, self._spent = fileobj, entry, budget, spent
        self._position = entry.data_offset(fileobj)
        self._packed_left = entry.packed_length
        if self._position + self._packed_left > end:
            raise refused("zip-overlap")
        self._is_deflated = entry.method == DEFLATED
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._pending = b""
        self._length = self._crc = 0
        self._head = self._next_piece(READ_BYTES)
        if looks_like_zip(self._head):
            raise refused("zip-nested")

    def __enter__(self) -> MemberReader:
        return self

    def __exit__(self, *reason: object) -> None:
        self._pending = self._head = b""

    def read(self, length: int = -1) -> bytes:
        """At most `length` bytes, or all that is left; empty at the end, when length and CRC have been checked."""
        pieces, wanted = [], self._budget.entry_bytes if length < 0 else length
        while wanted > 0:
            piece = self._head[:wanted] or self._next_piece(min(wanted, READ_BYTES))
            self._head = self._head[len(piece) :]
            if not piece:
                break
            pieces.append(piece)
            wanted -= len(piece)
        return b"".join(pieces)

    def _next_piece(self, limit: int) -> bytes:
        piece = self._inflated(limit) if self._is_deflated else self._stored(limit)
        if not piece:
            self._check_end()
            return b""
        self._crc = zlib.crc32(piece, self._crc)
        self._length += len(piece)
        self._spent.count(self._entry, self._length)
        self._check_budget()
        return piece

    def _stored(self, limit: int) -> bytes:
        self._file.seek(self._position)
        piece = self._file.read(min(limit, self._packed_left))
        if self._packed_left and not piece:
            raise refused("zip-damaged")
        self._position += len(piece)
        self._packed_left -= len(piece)
        return piece

    def _inflated(self, limit: int) -> bytes:
        """At most `limit` plain bytes, however much the next packed ones would give."""
        while not self._inflater.eof:
            packed = self._pending or self._stored(READ_BYTES)
            try:
                piece = self._inflater.decompress(packed, limit)
            except zlib.error as error:
                raise refused("zip-damaged") from error
            self._pending = self._inflater.unconsumed_tail
            if piece:
                return piece
            if not packed:
                raise refused("zip-damaged")
        return b""

    def _check_budget(self) -> None:
        """Budgets on real bytes: what an entry states about itself is not evidence."""
        budget, entry, spent = self._budget, self._entry, self._spent
        if self._length > entry.length:
            raise refused("zip-damaged")
        if self._length > budget.entry_bytes or spent.unpacked_bytes > budget.total_bytes:
            raise refused("zip-bytes")
        if self._length > max(budget.entry_floor_bytes, budget.ratio * entry.packed_length):
            raise refused("zip-ratio")
        if spent.unpacked_bytes > max(budget.total_floor_bytes, budget.ratio * spent.archive_bytes):
            raise refused("zip-ratio")

    def _check_end(self) -> None:
        if self._length != self._entry.length or self._crc != self._entry.crc:
            raise refused("zip-damaged")
