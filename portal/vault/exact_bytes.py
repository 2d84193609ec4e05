"""Room for a known number of bytes, filled in place, that becomes `bytes` without a copy.

Joining pieces holds them and the whole at once, and for half a megabyte or more the C library then fetches fresh pages
from the kernel every time: 570 us instead of 75 for 512 KiB.
"""

from __future__ import annotations

import io


class ExactBytes:
    """`length` bytes of room in `view`; `finish` gives them as `bytes`, and the room is gone."""

    __slots__ = ("_file", "view")

    def __init__(self, length: int) -> None:
        self._file = io.BytesIO()
        if length:
            self._file.seek(length - 1)
            self._file.write(b"\0")
        self.view = self._file.getbuffer()

    def finish(self) -> bytes:
        """What was written into `view`."""
        self.view.release()
        # BytesIO hands out its own bytes object once no view is left.
        return self._file.getvalue()
