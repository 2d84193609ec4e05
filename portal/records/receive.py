"""Bytes coming in: read from the connection in small steps, sealed in parts, memory flat.

A connection that is cut keeps what has arrived: whole parts and the one that was being filled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import transaction

from portal.clock import now
from portal.errors import Conflict, InvalidInput, ScanpassError
from portal.records.models import Upload, UploadedFile
from portal.records.spool import append_part

READ_BYTES = 64 * 1024
FILES_MAX = 20_000  # as many as a ZIP may hold
NAME_MAX = 512

Read = Callable[[int], bytes]


class TooLarge(ScanpassError):
    """More bytes than announced, or than we take."""

    status = 413
    title = "Too large"
    sentence = "This file is larger than we take. Send it in smaller parts."


def announce(upload: Upload, *, name: str, length: int) -> UploadedFile:
    """Make the row of a file of `length` bytes. `name` is a label shown to the desk, never a path.

    Raises `TooLarge`, `InvalidInput`, and `Conflict` for a closed upload.
    """
    if length > settings.UPLOAD_FILE_MAX_BYTES:
        raise TooLarge
    with transaction.atomic():
        receiving = Upload.objects.filter(pk=upload.pk, state=Upload.State.RECEIVING)
        if not receiving.update(touched_at=now()):
            raise Conflict("This upload is already closed. Start a new one.")
        if UploadedFile.objects.filter(upload=upload).count() >= FILES_MAX:
            raise TooLarge(f"One upload takes {FILES_MAX:,} files. Finish this one and start another.")
        return UploadedFile.objects.create(
            practice_id=upload.practice_id, upload=upload, name=_label(name), length=length
        )


def _label(name: str) -> str:
    """The name without control characters, its end kept where it is too long: there the file's own name stands."""
    printable = "".join(character for character in name if character.isprintable()).strip()
    return printable[-NAME_MAX:] or "file"


def receive(file: UploadedFile, read: Read, *, offset: int, announced: int | None) -> int:
    """Take the bytes that `read` gives as those from `offset` on; return the offset reached.

    `announced` is the Content-Length where there is one: what can't fit is refused before a byte is read.
    Raises `Conflict` (a wrong offset), `TooLarge`, `StorageFull`; parts sealed before stay.
    """
    if offset != file.offset:
        raise Conflict("This is not where the file stands. Ask where it stands, then go on from there.")
    if announced is not None and offset + announced > file.length:
        raise TooLarge("More bytes came than this file was announced with.")
    for part in _parts(read):
        if offset + len(part) > file.length:
            raise TooLarge("More bytes came than this file was announced with.")
        offset = append_part(file, part, offset=offset)
    return offset


def _parts(read: Read) -> Iterator[bytearray]:
    """The body in parts of at most `UPLOAD_PART_BYTES`; where the connection is cut, what came before."""
    part = bytearray()
    for piece in _pieces(read):
        part += piece
        while len(part) >= settings.UPLOAD_PART_BYTES:
            yield part[: settings.UPLOAD_PART_BYTES]
            part = part[settings.UPLOAD_PART_BYTES :]
    if part:
        yield part


def _pieces(read: Read) -> Iterator[bytes]:
    while True:
        try:
            piece = read(READ_BYTES)
        except OSError:
            return  # the connection is gone, and with it the answer; what came is kept
        if not piece:
            return
        yield piece


def parse_length(text: str | None) -> int:
    """A count of bytes from a header. Raises `InvalidInput` for anything but a plain whole number."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 15:
        raise InvalidInput("A length or offset is missing or is not a whole number.")
    return int(text)
