"""The plaintext of sealed objects as one seekable file, so that `zipfile` reads an archive that is never in plain.

An upload arrives in parts, each sealed on its own; here they read as one. One open chunk is kept in memory.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from portal.positions import PositionedFile
from portal.vault.encoding import Buffer
from portal.vault.header import CHUNK_BYTES
from portal.vault.opener import Opener


class SealedFile(PositionedFile):
    """A read-only file over `parts`, in their order. Not for use by several threads at once.

    Reads never come short before the end. A damaged chunk raises VaultDamaged out of the read that needs it.
    """

    def __init__(self, parts: Sequence[Opener]) -> None:
        self._parts = list(parts)
        self._starts = list(accumulate((part.length for part in parts), initial=0))
        super().__init__(self._starts[-1])
        self._open_at = (-1, -1)  # (part, chunk) of the chunk kept open
        self._open_chunk = memoryview(b"")

    def readinto(self, buffer: Buffer, /) -> int:  # type: ignore[override]
        target = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(target) and self.position < self.length:
            piece = self._here()[: len(target) - filled]
            target[filled : filled + len(piece)] = piece
            filled += len(piece)
            self.position += len(piece)
        return filled

    def _here(self) -> memoryview:
        """What is left of the chunk at the position."""
        part = bisect_right(self._starts, self.position) - 1
        within = self.position - self._starts[part]
        chunk = within // CHUNK_BYTES
        if self._open_at != (part, chunk):
            self._open_chunk = memoryview(self._parts[part].chunk(chunk))
            self._open_at = (part, chunk)
        return self._open_chunk[within - chunk * CHUNK_BYTES :]

    def close(self) -> None:
        self._open_chunk = memoryview(b"")
        self._open_at = (-1, -1)
        super().close()
