"""What a sealed object is: bound into its key, never written beside it.

A reader rebuilds the context from the row it has just authorised. An object that was moved, swapped or rolled back
then has another key, and fails at the commitment before a byte is decrypted.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from portal.vault.encoding import lp

KINDS = frozenset({"original", "frame", "preview", "manifest", "tags", "spool", "document", "backup"})
NIL = UUID(int=0)
"""Stands where an object belongs to no study, series or instance."""

_LABEL = b"scanpass/obj/v1"
_NUMBERS = struct.Struct(">QIQ")


@dataclass(frozen=True, slots=True)
class Context:
    """The place of one object.

        "scanpass/obj/v1" ‖ lp(practice) ‖ lp(study) ‖ lp(series) ‖ lp(instance) ‖ lp(kind)
                          ‖ u64 index ‖ u32 level ‖ u64 generation

    lp is a u32 length and the bytes, a UUID its 16 bytes. `index` counts frames, items or spool parts from 0;
    `level` is the pyramid's, 0 where there is none. Raises ValueError for a kind or number that can't be.
    """

    practice: UUID
    study: UUID
    series: UUID
    instance: UUID
    kind: str
    index: int
    level: int
    generation: int

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError("Unknown kind of object. Use one of portal.vault.context.KINDS.")
        if not (0 <= self.index < 2**64 and 0 <= self.level < 2**32 and 0 <= self.generation < 2**64):
            raise ValueError("A context number is out of range: index and generation are u64, level is u32.")

    def encode(self) -> bytes:
        """The bytes given to the key derivation as `info`."""
        return next(self.encode_run((self.index,)))

    def encode_run(self, indexes: Iterable[int]) -> Iterator[bytes]:
        """The same place but for its index: `encode` of each, for the many items of one level of a series."""
        head = _head(self.practice, self.study, self.series, self.instance, self.kind)
        for index in indexes:
            yield head + _NUMBERS.pack(index, self.level, self.generation)


@lru_cache(maxsize=1024)
def _head(practice: UUID, study: UUID, series: UUID, instance: UUID, kind: str) -> bytes:
    """What all frames of a series have in common."""
    places = (practice, study, series, instance)
    return _LABEL + b"".join(lp(place.bytes) for place in places) + lp(kind.encode())
