"""A folder to work in, one user at a time; what a killed one left in it is gone before the next begins."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.errors import Conflict
from portal.vault.disk import full_disk_as_storage_full, make_folder


@contextmanager
def work_folder(parent: Path, name: str) -> Iterator[Path]:
    """An empty folder `name` in `parent`, removed afterwards. Raises `Conflict` while another process works in it.

    The name is fixed, so that the copy of a database which kill -9 left behind is found and removed.
    """
    with full_disk_as_storage_full():
        make_folder(parent)
        fd = os.open(parent / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    folder = parent / name
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("Another backup or drill is at work here. Wait for its end.") from None
        shutil.rmtree(folder, ignore_errors=True)
        with full_disk_as_storage_full():
            folder.mkdir(mode=0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(fd)
