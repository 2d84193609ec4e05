"""A set of sealed parts: a snapshot, or what lives at a moment (an epoch).

    SET/header.json     {"format", "kind", "set", "made_at", "parts": {"name.000": length…}, "wrapped": {…}}
    SET/name.000        a sealed object (docs/vault-format.md) of at most 1 GiB

It is built in a folder aside and put into its place whole, which is the target's to do. The header is readable, for
people who look for a date, and bound to the set's key: a changed word of it is refused.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Self
from uuid import UUID, uuid4

from portal.backups import keys
from portal.errors import Sealed, VaultDamaged
from portal.vault.context import NIL, Context
from portal.vault.disk import UnfinishedFile, fsync_folder, full_disk_as_storage_full, make_folder
from portal.vault.encoding import canonical_json
from portal.vault.stream import Opener, Sealer
from portal.vault.wrapping import new_key

HEADER = "header.json"
FORMAT = "scanpass-backup/1"
PART_BYTES = 1 << 30
_READ_BYTES = 1 << 20
# Which part it is stands in its key, by this number.
PARTS = ("index", "database", "epoch")


def _context(set_id: UUID, name: str, number: int) -> Context:
    return Context(NIL, set_id, NIL, NIL, "backup", number, PARTS.index(name), 1)


class SetWriter:
    """Builds a set in the folder `aside`; a target publishes what was finished. The block leaves nothing behind there.

    Sets are counted: the newest is the one of the highest `number`, even where the clock was set back in between.
    """

    def __init__(self, aside: Path, kind: str, number: int, made_at: datetime) -> None:
        self.id = uuid4()
        self.name = f"{number:06}-{made_at:%Y%m%dT%H%M%SZ}"
        self._key = new_key()
        self.kind = kind
        self.folder = aside / f"{kind}-{self.name}"
        self._header: dict[str, Any] = {
            "format": FORMAT,
            "kind": kind,
            "number": number,
            "set": str(self.id),
            "made_at": made_at.isoformat(),
            "parts": {},
        }
        with full_disk_as_storage_full():
            make_folder(self.folder)

    def add_bytes(self, name: str, content: bytes) -> None:
        """Seal `content` as the only part of this name."""
        self._seal(name, 0, iter([content]), len(content))

    def add_file(self, name: str, path: Path) -> None:
        """Seal a file of any length, in parts."""
        length = path.stat().st_size
        with path.open("rb") as file:
            for number, start in enumerate(range(0, max(length, 1), PART_BYTES)):
                count = min(PART_BYTES, length - start)
                self._seal(name, number, _blocks(file, count), count)

    def finish(self) -> list[Path]:
        """Write the header and return all files, the header last: where it lies, everything does."""
        wrapped = keys.wrap(self._key, set_id=self.id, header=self._header)
        self._write(HEADER, canonical_json({**self._header, "wrapped": wrapped}) + b"\n")
        with full_disk_as_storage_full():
            fsync_folder(self.folder)
        return [self.folder / name for name in (*sorted(self._header["parts"]), HEADER)]

    def _seal(self, name: str, number: int, blocks: Iterator[bytes], length: int) -> None:
        file = UnfinishedFile(self.folder / f"{name}.{number:03}.new")
        place = _context(self.id, name, number)
        with Sealer(file, dek=self._key, dek_id=self.id.bytes, context=place, length=length) as sealer:
            for block in blocks:
                sealer.write(block)
        file.publish(self.folder / f"{name}.{number:03}")
        self._header["parts"][f"{name}.{number:03}"] = length

    def _write(self, name: str, content: bytes) -> None:
        file = UnfinishedFile(self.folder / f"{name}.new")
        file.write(content)
        file.publish(self.folder / name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _blocks(file: BinaryIO, count: int) -> Iterator[bytes]:
    while count:
        block = file.read(min(count, _READ_BYTES))
        count -= len(block)
        yield block


OpenFile = Callable[[str], BinaryIO]
"""Opens a file of the set by its name, to be read and sought in. Raises FileNotFoundError."""


@dataclass(frozen=True)
class SealedSet:
    """A set opened for reading. A damaged part raises `VaultDamaged` out of the read that meets it."""

    name: str
    id: UUID
    made_at: datetime
    lengths: dict[str, int]
    _open_file: OpenFile
    _key: bytes

    def read(self, name: str) -> bytes:
        """The content of a part that was added as bytes."""
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content under `name`, each chunk verified before it is given."""
        numbers = sorted(int(part[-3:]) for part in self.lengths if part.startswith(f"{name}."))
        if not numbers:
            raise VaultDamaged("part-missing")
        for number in numbers:
            yield from self._chunks(name, number)

    def _chunks(self, name: str, number: int) -> Iterator[bytes]:
        part = f"{name}.{number:03}"
        try:
            with self._open_file(part) as file:
                place = _context(self.id, name, number)
                opener = Opener(
                    file, dek=self._key, dek_id=self.id.bytes, context=place, length=self.lengths[part]
                )
                yield from opener.chunks()
        except FileNotFoundError:
            raise VaultDamaged("part-missing") from None


def open_set(name: str, kind: str, open_file: OpenFile) -> SealedSet:
    """The set of this name. Raises `VaultDamaged` for a header that is missing or isn't its own, `Sealed`."""
    try:
        with open_file(HEADER) as file:
            document = json.loads(file.read())
        wrapped = document.pop("wrapped")
        if document["format"] != FORMAT or document["kind"] != kind:
            raise VaultDamaged("header")
        set_id = UUID(document["set"])
        key = keys.unwrap(wrapped, set_id=set_id, header=document)
        made_at = datetime.fromisoformat(document["made_at"])
        return SealedSet(name, set_id, made_at, document["parts"], open_file, key)
    except (Sealed, VaultDamaged):
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise VaultDamaged("header") from None
