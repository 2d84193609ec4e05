"""A large file as its parent lends it to the confined child: one stretch at a time, in shared memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

from portal.dicom.content import WINDOW_BYTES
from portal.dicom.ranged import Ranged

LEAST_BYTES: Final = 256 << 10
"""A chunk of a sealed file is this long: less is no cheaper to lend."""


class Window(Ranged):
    """The file of `length` bytes; `ask(start, stop)` has that stretch put at the beginning of `input_fd`."""

    def __init__(self, length: int, input_fd: int, ask: Callable[[int, int], None]) -> None:
        super().__init__(length)
        self._input_fd, self._ask = input_fd, ask
        self._start = self._stop = 0

    def some(self, start: int, stop: int) -> bytes:
        """What of it is lent; if nothing is, as much is asked for as may be. Raises `EOFError` if nothing comes."""
        if not self._start <= start < self._stop:
            self._move_to(start, stop)
        os.lseek(self._input_fd, start - self._start, os.SEEK_SET)
        piece = os.read(self._input_fd, min(stop, self._stop) - start)
        if not piece:
            raise EOFError
        return piece

    def _move_to(self, start: int, stop: int) -> None:
        stop = min(max(stop, start + LEAST_BYTES), start + WINDOW_BYTES, len(self))
        self._start = self._stop = 0
        self._ask(start, stop)
        self._start, self._stop = start, stop
