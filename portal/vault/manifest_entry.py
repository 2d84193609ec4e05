"""One line of a study's manifest: which object, where it lies, how long it is, and the hash of its ciphertext.

[series, kind, level, index, instance, pack, offset, sealed length, length, sha256, extra]
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

from portal.vault.context import KINDS, NIL
from portal.vault.header import MAX_PLAINTEXT, sealed_length
from portal.vault.packs import Extent
from portal.vault.reasons import Reason, damaged

_PACK = re.compile(r"[0-9a-f]{32}", re.ASCII).fullmatch
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII).fullmatch

Place = tuple[int, str, int, int, int]
"""Series, kind, level, index, instance; UUIDs as numbers, which compare and hash faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An object of a study. Lengths and the offset are in bytes; `sha256` is hex, of the sealed bytes.

    `extra` is for the writer (a CRC-32, a name in the archive…): plain JSON with whole numbers.
    """

    kind: str
    series: UUID = NIL
    instance: UUID = NIL
    index: int = 0
    level: int = 0
    pack: str
    offset: int
    sealed_length: int
    length: int
    sha256: str
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)  # may hold a file's name

    @property
    def place(self) -> Place:
        """What the entry is sorted and found by."""
        return self.series.int, self.kind, self.level, self.index, self.instance.int

    @property
    def extent(self) -> Extent:
        """Where it lies in its pack."""
        return Extent(self.offset, self.sealed_length, self.sha256)

    def as_row(self) -> list[Any]:
        """The entry as the manifest spells it."""
        return [
            str(self.series),
            self.kind,
            self.level,
            self.index,
            str(self.instance),
            self.pack,
            self.offset,
            self.sealed_length,
            self.length,
            self.sha256,
            dict(self.extra),
        ]


def entries_from_rows(rows: Any) -> tuple[Entry, ...]:
    """The entries in `rows`, as JSON gave them. Raises VaultDamaged `manifest-form` for a row that can't be one."""
    try:
        return tuple(_entry(row) for row in rows)
    except (ValueError, TypeError, AttributeError):
        raise damaged(Reason.MANIFEST_FORM) from None


def _entry(row: list[Any]) -> Entry:
    series, kind, level, index, instance, pack, offset, sealed, length, sha256, extra = row
    if not (type(level) is type(index) is type(offset) is type(sealed) is type(length) is int):
        raise TypeError("a number that isn't whole")
    if not (0 <= level < 2**32 and 0 <= index < 2**64 and offset >= 0):
        raise ValueError("a position that can't be")
    if not 0 <= length <= MAX_PLAINTEXT or sealed != sealed_length(length):
        raise ValueError("a length that can't be")
    if kind not in KINDS or not _PACK(pack) or not _SHA256(sha256) or type(extra) is not dict:
        raise ValueError("a field that can't be")
    return Entry(
        kind=kind,
        series=_uuid(series),
        instance=_uuid(instance),
        index=index,
        level=level,
        pack=pack,
        offset=offset,
        sealed_length=sealed,
        length=length,
        sha256=sha256,
        extra=extra,
    )


@lru_cache(maxsize=8192)
def _uuid(text: str) -> UUID:
    """A UUID in its one spelling; a study repeats a few of them thousands of times."""
    value = UUID(text)
    if str(value) != text:
        raise ValueError("a UUID in another spelling")
    return value
