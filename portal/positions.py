"""A file to be read and sought in, of a known length, whose bytes come from elsewhere: what all such files share.

It knows nothing of Django or of the vault: the confined child that reads scans imports it too.
"""

from __future__ import annotations

import io
import os


class PositionedFile(io.RawIOBase):
    """`length` bytes of which `position` is the next to be read; a subclass gives `readinto`, which moves it on."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length
        self.position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """The new position, which may lie past the end. Raises `ValueError` for one before the beginning."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self.length}[whence]
        if base + offset < 0:
            raise ValueError("There is nothing before the beginning of a file.")
        self.position = base + offset
        return self.position
