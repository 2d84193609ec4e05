"""Files that are whole or not there: written aside, fsynced, renamed, and the folder fsynced.

Nothing here knows what the bytes are. A name is taken once and its bytes never change.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from portal.errors import StorageFull
from portal.vault.encoding import Bytes

# EFBIG is the answer to a file-size limit of the process or the file system: to the sender it is the same.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def full_disk_as_storage_full() -> Iterator[None]:
    """Turn the operating system's "no room" into StorageFull; any other error passes."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull() from error
        raise


def fsync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(folder: Path) -> None:
    """Create `folder`, for its owner alone, and its name for good; its parents too where they are missing."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    fsync_folder(folder.parent)


class UnfinishedFile:
    """A file that isn't visible yet. `publish` shows it under its name, `discard` removes it.

    It holds a lock while its process lives, so that `is_abandoned` tells a slow writer from a dead one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with full_disk_as_storage_full():
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        self.length = 0

    def write(self, data: Bytes) -> None:
        """Append all of `data`. Raises StorageFull."""
        view = memoryview(data)
        with full_disk_as_storage_full():
            while view:
                written = os.write(self._fd, view)
                self.length += written
                view = view[written:]

    def publish(self, target: Path) -> None:
        """Show the file at `target`, complete and for good."""
        with full_disk_as_storage_full():
            make_folder(target.parent)
            os.fchmod(self._fd, 0o400)
            os.fsync(self._fd)
            # From here on `discard` means the visible name: a rename that can't be made durable is taken back.
            self._path = self._path.rename(target)
            fsync_folder(target.parent)
        os.close(self._fd)

    def discard(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)
        os.close(self._fd)


def is_abandoned(path: Path) -> bool:
    """Whether no living process is writing the unfinished file at `path`."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(fd)
    return True
