"""A set of sealed parts in one folder: a snapshot, or what lives at a moment (an epoch).

    FOLDER/header.json     {"format", "kind", "set", "made_at", "parts": {"name.000": length…}, "wrapped": {…}}
    FOLDER/name.000        a sealed object (docs/vault-format.md) of at most 1 GiB

The folder is built aside and renamed, so a set is whole or not there. The header is readable, for people who look for
a date, and bound to the set's key: a changed word of it is refused.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
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

FORMAT = "scanpass-backup/1"
PART_BYTES = 1 << 30
_READ_BYTES = 1 << 20
# Which part it is stands in its key, by this number.
PARTS = ("index", "database", "epoch")


def _context(set_id: UUID, name: str, number: int) -> Context:
    return Context(NIL, set_id, NIL, NIL, "backup", number, PARTS.index(name), 1)


class SetWriter:
    """Builds a set in `aside`; `publish` shows it. Leaving the block without that leaves nothing behind.

    Sets are counted: the newest is the one of the highest `number`, even where the clock was set back in between.
    """

    def __init__(self, aside: Path, kind: str, number: int, made_at: datetime) -> None:
        self.id = uuid4()
        self.name = f"{number:06}-{made_at:%Y%m%dT%H%M%SZ}"
        self._key = new_key()
        self._folder = aside / f"{kind}-{self.name}"
        self._header: dict[str, Any] = {
            "format": FORMAT,
            "kind": kind,
            "number": number,
            "set": str(self.id),
            "made_at": made_at.isoformat(),
            "parts": {},
        }
        with full_disk_as_storage_full():
            make_folder(self._folder)

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

    def publish(self, folder: Path) -> Path:
        """Give the set its place in `folder`, for good."""
        wrapped = keys.wrap(self._key, set_id=self.id, header=self._header)
        self._write("header.json", canonical_json({**self._header, "wrapped": wrapped}) + b"\n")
        target = folder / self.name
        with full_disk_as_storage_full():
            make_folder(folder)
            fsync_folder(self._folder)
            self._folder.rename(target)
            fsync_folder(folder)
        return target

    def _seal(self, name: str, number: int, blocks: Iterator[bytes], length: int) -> None:
        file = UnfinishedFile(self._folder / f"{name}.{number:03}.new")
        place = _context(self.id, name, number)
        with Sealer(file, dek=self._key, dek_id=self.id.bytes, context=place, length=length) as sealer:
            for block in blocks:
                sealer.write(block)
        file.publish(self._folder / f"{name}.{number:03}")
        self._header["parts"][f"{name}.{number:03}"] = length

    def _write(self, name: str, content: bytes) -> None:
        file = UnfinishedFile(self._folder / f"{name}.new")
        file.write(content)
        file.publish(self._folder / name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _blocks(file: BinaryIO, count: int) -> Iterator[bytes]:
    while count:
        block = file.read(min(count, _READ_BYTES))
        count -= len(block)
        yield block


@dataclass(frozen=True)
class SealedSet:
    """A set opened for reading. A damaged part raises `VaultDamaged` out of the read that meets it."""

    folder: Path
    id: UUID
    made_at: datetime
    lengths: dict[str, int]
    _key: bytes

    @property
    def name(self) -> str:
        return self.folder.name

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
            with (self.folder / part).open("rb") as file:
                place = _context(self.id, name, number)
                opener = Opener(
                    file, dek=self._key, dek_id=self.id.bytes, context=place, length=self.lengths[part]
                )
                yield from opener.chunks()
        except FileNotFoundError:
            raise VaultDamaged("part-missing") from None


def open_set(folder: Path, kind: str) -> SealedSet:
    """The set in `folder`. Raises `VaultDamaged` for a header that is missing or isn't its own, `Sealed`."""
    try:
        document = json.loads((folder / "header.json").read_bytes())
        wrapped = document.pop("wrapped")
        if document["format"] != FORMAT or document["kind"] != kind:
            raise VaultDamaged("header")
        set_id = UUID(document["set"])
        key = keys.unwrap(wrapped, set_id=set_id, header=document)
        made_at = datetime.fromisoformat(document["made_at"])
        return SealedSet(folder, set_id, made_at, document["parts"], key)
    except (Sealed, VaultDamaged):
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise VaultDamaged("header") from None
