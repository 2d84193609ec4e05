"""What lies on the disk for a moment only: queue messages, temporary files, files that have no name any more.

A thread looks at them again and again and keeps each new content, to be searched when the walk is over. What comes
and goes between two looks is missed, so this adds to the search of what stays and does not stand for it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

EVERY_S = 0.01
# A file larger than this is no message; what is in it is found by its beginning.
KEPT_BYTES = 4 * 1024 * 1024

Identity = tuple[int, int, int, int]


class Watcher(Thread):
    """Keeps what it sees in `folders` and in the nameless open files of `processes`."""

    def __init__(self, folders: list[Path], processes: Callable[[], list[int]]) -> None:
        super().__init__(name="watcher", daemon=True)
        self._folders, self._processes = folders, processes
        self._done = Event()
        self._known: set[Identity] = set()
        self.seen: list[tuple[str, bytes]] = []

    def run(self) -> None:
        turns = 0
        while not self._done.wait(EVERY_S):
            for folder in self._folders:
                for path in _files(folder):
                    self._keep(path)
            # Looking through all of /proc takes longer than through a few folders.
            if turns % 10 == 0:
                for path in _nameless(self._processes()):
                    self._keep(path)
            turns += 1

    def stop(self) -> None:
        self._done.set()
        self.join()

    def _keep(self, path: Path) -> None:
        try:
            with open(path, "rb") as file:
                facts = os.fstat(file.fileno())
                identity = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)
                if not stat.S_ISREG(facts.st_mode) or identity in self._known:
                    return
                self._known.add(identity)
                self.seen.append((str(path), file.read(KEPT_BYTES)))
        except OSError:
            # Gone between the look at the folder and the opening.
            pass


def _files(folder: Path) -> Iterator[Path]:
    for where, _, names in os.walk(folder):
        for name in names:
            yield Path(where, name)


def _nameless(pids: list[int]) -> Iterator[Path]:
    """Open files of the processes that were deleted, which is how programs hide temporary ones.

    Shared memory that was never a file (memfd) is memory.
    """
    for pid in pids:
        try:
            for link in Path(f"/proc/{pid}/fd").iterdir():
                target = os.readlink(link)
                if target.endswith(" (deleted)") and not target.startswith("/memfd:"):
                    yield link
        except OSError:
            continue
