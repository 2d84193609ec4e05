"""The sealed spool: an uploaded file lies in parts, each an object of its own under the upload's key.

A plain byte never reaches the disk. `open_spooled` reads the parts as one seekable file, so that an archive is
walked where it lies.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from portal.clock import now
from portal.errors import Conflict, StorageFull
from portal.records.models import Upload, UploadedFile, UploadPart
from portal.records.vault import spool
from portal.sealed.keys import Dek, study_key
from portal.vault.context import Context
from portal.vault.encoding import Buffer
from portal.vault.stream import Opener, SealedFile

GENERATION = 1


def part_context(file: UploadedFile, index: int) -> Context:
    """The place of a part: the upload stands for the study, the file for the instance."""
    return Context(
        practice=file.practice_id,
        study=file.upload_id,
        series=UUID(int=0),
        instance=file.pk,
        kind="spool",
        index=index,
        level=0,
        generation=GENERATION,
    )


def upload_key(upload_id: UUID, practice_id: UUID) -> Dek:
    """The key of an upload; gone once the upload has been ingested or discarded."""
    return study_key(practice_id, upload_id, GENERATION)


def check_room(length_bytes: int, folder: Path | None = None) -> None:
    """Raise `StorageFull` where `length_bytes` more would eat into what the database needs to go on.

    `folder` is the spool, or the vault where a study is about to be written.
    """
    place = folder or settings.SPOOL_DIR
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    if shutil.disk_usage(place).free - length_bytes < settings.RESERVED_DISK_BYTES:
        raise StorageFull


def append_part(file: UploadedFile, plain: Buffer, *, offset: int) -> int:
    """Seal `plain` as the bytes from `offset` on; return the new offset.

    The part is on the disk before the row moves, and the row moves by one conditional UPDATE: of two that send the
    same bytes at once, one wins and the other gets `Conflict`. Raises `StorageFull`.
    """
    length = len(plain)
    check_room(length)
    index = UploadPart.objects.filter(file=file).count()
    dek = upload_key(file.upload_id, file.practice_id)
    blob = spool().put(plain, dek=dek.key, dek_id=dek.id, context=part_context(file, index))
    try:
        with transaction.atomic():
            _move(file, offset, length)
            UploadPart.objects.create(file=file, index=index, offset=offset, length=length, blob=blob)
    except BaseException:
        spool().delete(blob)
        raise
    return offset + length


def _move(file: UploadedFile, offset: int, length: int) -> None:
    receiving = Upload.objects.filter(pk=file.upload_id, state=Upload.State.RECEIVING)
    if not receiving.update(touched_at=now()):
        raise Conflict("This upload is already closed. Start a new one.")
    if not UploadedFile.objects.filter(pk=file.pk, offset=offset).update(offset=offset + length):
        raise Conflict("Another connection is sending this file. Ask where it stands, then go on from there.")


class _SpooledPart:
    """A part that is opened only while it is read: a file of 8 GiB has thousands."""

    def __init__(self, file: UploadedFile, index: int, length: int, blob: str) -> None:
        self._context = part_context(file, index)
        self._dek = upload_key(file.upload_id, file.practice_id)
        self._blob = blob
        self.length = length

    def chunk(self, index: int) -> bytes:
        opener = Opener(
            spool().open_pack(self._blob).whole(),
            dek=self._dek.key,
            dek_id=self._dek.id,
            context=self._context,
            length=self.length,
        )
        return opener.chunk(index)


def open_spooled(file: UploadedFile) -> SealedFile:
    """The plain bytes of an uploaded file as one seekable binary file. Not for several threads at once."""
    rows = file.parts.order_by("index").values_list("index", "length", "blob")
    return SealedFile([_SpooledPart(file, *row) for row in rows])  # type: ignore[misc]


def wipe(upload: Upload) -> None:
    """Destroy what an ended upload left in the spool; safe to repeat. Its key is shredded already."""
    parts = UploadPart.objects.filter(file__upload=upload)
    for blob in parts.values_list("blob", flat=True).iterator():
        spool().delete(blob)
    parts.delete()
