"""Where the files of an ingest come from: an upload in the spool, or a group held in quarantine.

A plain byte is in memory only, and of a large file never more than the stretch that is being read. Database rows are
read where `opener` is called; what it returns reads sealed bytes and may run in another thread, one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Protocol, cast
from uuid import UUID

from portal.dicom.archives import Member, looks_like_zip, walk
from portal.dicom.content import WINDOW_BYTES, Content, OnDemand, Whole
from portal.dicom.sandbox import MAX_INPUT_BYTES
from portal.dicom.verdicts import refused
from portal.errors import IngestRefused
from portal.records.models import Upload, UploadedFile
from portal.records.spool import open_spooled
from portal.vault.stream import SealedFile

Read = Callable[[], Content]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file lies: a row, and a position inside it where the row is an archive."""

    file: UUID
    member: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be DICOM. `name` is a label for people."""

    place: Place
    name: str
    read: Read


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that isn't taken: a short word for machines and a sentence for people."""

    name: str
    code: str
    sentence: str


def content_of(file: SealedFile) -> Content:
    """The plain bytes of a sealed file: a small one in one allocation, a large one chunk by chunk."""
    if file.length > WINDOW_BYTES:
        return OnDemand(cast(BinaryIO, file), file.length)
    data = bytearray(file.length)
    file.seek(0)
    file.readinto(data)
    return Whole(data)


class Source(Protocol):
    """The files of an ingest."""

    def count(self) -> int:
        """How many files there are, those inside archives included."""

    def files(self) -> Iterator[tuple[str, list[Candidate] | Refusal]]:
        """Each file or archive by its name: what is in it, or why it is refused as a whole."""

    def opener(self, place: Place) -> Read:
        """How to read the file at a place again."""


class SpoolSource:
    """The files of an upload, ZIPs walked where they lie."""

    def __init__(self, upload: Upload) -> None:
        rows = UploadedFile.objects.filter(upload=upload)
        self._files = sorted(rows, key=lambda row: (row.name, row.pk))
        self._by_id = {row.pk: row for row in self._files}
        self._walked: tuple[UUID, list[Member]] | None = None

    def count(self) -> int:
        """Files and members of readable archives."""
        return sum(self._count_of(row) for row in self._files)

    def _count_of(self, row: UploadedFile) -> int:
        try:
            members = self._members(row)
        except IngestRefused:
            return 1
        return 1 if members is None else len(members)

    def files(self) -> Iterator[tuple[str, list[Candidate] | Refusal]]:
        """Each uploaded file with its candidates."""
        for row in self._files:
            try:
                yield row.name, self._candidates(row)
            except IngestRefused as refusal:
                yield row.name, Refusal(row.name, refusal.code, refusal.sentence)

    def opener(self, place: Place) -> Read:
        """Reads the file, or the member of the archive, once more."""
        row = self._by_id[place.file]
        if place.member is None:
            return partial(content_of, open_spooled(row))
        members = self._members(row) or []
        return members[place.member].content

    def _candidates(self, row: UploadedFile) -> list[Candidate]:
        members = self._members(row)
        if members is None:
            if row.length > MAX_INPUT_BYTES:
                raise refused("too-large")
            return [Candidate(Place(row.pk), row.name, partial(content_of, open_spooled(row)))]
        return [
            Candidate(Place(row.pk, index), f"{row.name}/{member.name}", member.content)
            for index, member in enumerate(members)
        ]

    def _members(self, row: UploadedFile) -> list[Member] | None:
        """The members of an archive; None for a file that isn't one. Each walk has its budget anew."""
        if self._walked and self._walked[0] == row.pk:
            return self._walked[1]
        file = open_spooled(row)
        if not looks_like_zip(file.read(4)):
            return None
        members = list(walk(cast(BinaryIO, file)))
        self._walked = (row.pk, members)
        return members
