"""Files of this machine as an upload: a folder, a ZIP or one file, through the same verbs as the browser's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from portal.audit.actor import Actor
from portal.errors import InvalidInput
from portal.records.models import Patient, Upload
from portal.records.receive import announce, receive
from portal.records.uploads import finish_upload, start_upload


def upload_path(patient: Patient, path: Path, *, actor: Actor) -> Upload:
    """Send `path` onto a patient's chart and queue its ingest. Raises `InvalidInput` when nothing is there."""
    files = list(_files(path))
    if not files:
        raise InvalidInput("There is no file at this place.")
    upload = start_upload(patient, actor=actor)
    for file in files:
        with file.open("rb") as stream:
            length = os.fstat(stream.fileno()).st_size
            name = str(file.relative_to(path.parent))
            receive(announce(upload, name=name, length=length), stream.read, offset=0, announced=length)
    return finish_upload(upload, actor=actor)


def _files(path: Path) -> Iterator[Path]:
    """The file, or every file below the folder; links are not followed."""
    if path.is_file():
        yield path
        return
    for folder, _, names in os.walk(path):
        yield from (Path(folder, name) for name in sorted(names) if not Path(folder, name).is_symlink())
