"""The plaintext of sealed objects as one seekable file, so that `zipfile` reads an archive that is never in plain.

An upload arrives in parts, each sealed on its own; here they read as one. One open chunk is kept in memory.
"""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from portal.vault.encoding import Buffer
from portal.vault.header import CHUNK_BYTES

if TYPE_CHECKING:
    from portal.vault.opener import Opener


class SealedFile(io.RawIOBase):
    """A read-only file over `parts`, in their order. Not for use by several threads at once.

    Reads never come short before the end. A damaged chunk raises VaultDamaged out of the read that needs it.
    """

    def __init__(self, parts: Sequence[Opener]) -> None:
        super().__init__()
        self._parts = list(parts)
        self._starts = list(accumulate((part.length for part in parts), initial=0))
        self._position = 0
        self._open_at = (-1, -1)  # (part, chunk) of the chunk kept open
        self._open_chunk = memoryview(b"")

    @property
    def length(self) -> int:
        """Bytes in all."""
        return self._starts[-1]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.length}[whence]
        if base + offset < 0:
            raise ValueError("There is nothing before the beginning of a file.")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Buffer, /) -> int:  # type: ignore[override]
        target = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(target) and self._position < self.length:
            piece = self._here()[: len(target) - filled]
            target[filled : filled + len(piece)] = piece
            filled += len(piece)
            self._position += len(piece)
        return filled

    def _here(self) -> memoryview:
        """What is left of the chunk at the position."""
        part = bisect_right(self._starts, self._position) - 1
        within = self._position - self._starts[part]
        chunk = within // CHUNK_BYTES
        if self._open_at != (part, chunk):
            self._open_chunk = memoryview(self._parts[part].chunk(chunk))
            self._open_at = (part, chunk)
        return self._open_chunk[within - chunk * CHUNK_BYTES :]

    def close(self) -> None:
        self._open_chunk = memoryview(b"")
        self._open_at = (-1, -1)
        super().close()
