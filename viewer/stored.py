"""A stored study, opened: its verified manifest, what it shows, and its objects in plain.

Nothing here asks who wants to see; `sharing.access` has done that before. What is kept between requests is the list of
objects and how they are shown, never a key and never a pixel.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from portal.errors import NotFound
from portal.records.manifests import open_manifest
from portal.records.models import Study
from portal.records.vault import vault
from portal.sealed.keys import Dek, study_key
from portal.vault.context import NIL, Context
from portal.vault.header import CHUNK_BYTES
from portal.vault.manifest import Entry, Manifest
from portal.vault.packs import Pack
from portal.vault.stream import Opener, open_into
from sharing.remembered import Recent

OPEN_STUDIES: Final = 16  # a CBCT's manifest takes about 2 MB of memory once read

SeriesView = Mapping[str, Any]
"""A series as the display document describes it: the wire manifest's series without its addresses."""


@dataclass(frozen=True, slots=True)
class StoredStudy:
    """One generation of one study. Objects are opened under the context of their place in it."""

    practice: UUID
    id: UUID
    generation: int
    manifest_sha256: str
    manifest: Manifest
    series: Mapping[UUID, SeriesView]
    others: tuple[Mapping[str, Any], ...]

    def shown(self, series: UUID) -> SeriesView:
        """How a series is shown. Raises NotFound for one without pictures."""
        try:
            return self.series[series]
        except KeyError:
            raise NotFound() from None

    def entry(
        self, series: UUID, kind: str, *, level: int = 0, index: int = 0, instance: UUID = NIL
    ) -> Entry:
        """Where an object lies. Raises NotFound when the study has no such object."""
        return self.manifest.find(series, kind, level=level, index=index, instance=instance)

    def read(self, entry: Entry) -> bytes:
        """The whole object, verified before a byte is returned. Raises VaultDamaged.

        The ciphertext isn't hashed: its key comes from the place, so only the very object that was sealed for this
        place opens at all (docs/vault-format.md).
        """
        return self._opener(entry, self._dek(), vault().open_pack(entry.pack)).read_all()

    def read_frames_into(self, entries: Sequence[Entry], rooms: Iterable[memoryview]) -> None:
        """Frames of one level of a series, each whole into its room, which has its length.

        When this raises, nothing of any may be shown. Their key, their pack and what their contexts have in common
        are asked for once.
        """
        dek, store = self._dek(), vault()
        contexts = self._context(entries[0]).encode_run(entry.index for entry in entries)
        pack, name = None, ""
        for entry, info, room in zip(entries, contexts, rooms, strict=True):
            if pack is None or entry.pack != name:
                pack, name = store.open_pack(entry.pack), entry.pack
            sealed = pack.view_at(entry.offset, entry.sealed_length)
            open_into(sealed, room, dek=dek.key, dek_id=dek.id, info=info)

    def read_stretch(self, entry: Entry, start: int, stop: int) -> Iterator[bytes | memoryview]:
        """Bytes `start` to `stop` (exclusive) of an object, in verified pieces of at most 256 KiB.

        What was read leaves this process's memory map behind it, so a study of any size costs the same memory.
        """
        pack = vault().open_pack(entry.pack)
        opener = self._opener(entry, self._dek(), pack)
        for index in range(start // CHUNK_BYTES, -(-stop // CHUNK_BYTES)):
            base = index * CHUNK_BYTES
            chunk = opener.chunk(index)
            is_whole = start <= base and base + len(chunk) <= stop
            yield chunk if is_whole else memoryview(chunk)[max(0, start - base) : stop - base]
            pack.let_go(entry.offset + base, CHUNK_BYTES)

    def _dek(self) -> Dek:
        # Asked for each time and remembered there for minutes only: a shredded study closes.
        return study_key(self.practice, self.id, self.generation)

    def _opener(self, entry: Entry, dek: Dek, pack: Pack) -> Opener:
        context = self._context(entry)
        return Opener(
            pack.view(entry.extent), dek=dek.key, dek_id=dek.id, context=context, length=entry.length
        )

    def _context(self, entry: Entry) -> Context:
        place = (entry.series, entry.instance, entry.kind, entry.index, entry.level)
        return Context(self.practice, self.id, *place, self.generation)


_open: Recent[tuple[UUID, str], StoredStudy] = Recent(OPEN_STUDIES)


def open_study(study: Study) -> StoredStudy:
    """The study behind an authorised row. Raises VaultDamaged when its manifest isn't the row's, or has no document."""
    name = (study.pk, study.manifest_sha256)
    known = _open.get(name)
    if known is None:
        known = _opened(study)
        _open.put(name, known)
    return known


def _opened(study: Study) -> StoredStudy:
    bare = StoredStudy(
        study.practice_id, study.pk, study.generation, study.manifest_sha256, open_manifest(study), {}, ()
    )
    document = json.loads(bare.read(bare.entry(NIL, "document")))
    return StoredStudy(
        bare.practice,
        bare.id,
        bare.generation,
        bare.manifest_sha256,
        bare.manifest,
        {UUID(series["id"]): series for series in document["series"]},
        tuple(document["others"]),
    )
