"""Sealing one study's objects into packs, and keeping the list of them that becomes the manifest."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from portal.records.manifests import object_context
from portal.records.vault import vault
from portal.sealed.keys import Dek, make_study_key
from portal.sealed.models import StudyKey
from portal.vault import manifest
from portal.vault.context import NIL
from portal.vault.encoding import Buffer, canonical_json
from portal.vault.manifest import Entry
from portal.vault.packs import PackWriter

GENERATION = 1


class PackOfStudy:
    """One pack being written. Leaving the block without `commit` leaves nothing behind."""

    def __init__(self, writer: StudyWriter) -> None:
        self._writer = writer
        self._pack: PackWriter = vault().new_pack()
        self._pending: list[dict[str, Any]] = []

    def add(
        self,
        plain: Iterable[Buffer],
        length: int,
        *,
        kind: str,
        series: UUID = NIL,
        instance: UUID = NIL,
        index: int = 0,
        level: int = 0,
        **extra: Any,
    ) -> None:
        """Seal the next object; `extra` goes into its line of the manifest."""
        writer = self._writer
        place = {"series": series, "instance": instance, "index": index, "level": level}
        context = object_context(writer.practice_id, writer.study_id, GENERATION, kind, **place)  # type: ignore[arg-type]
        extent = self._pack.append_stream(
            plain, length, dek=writer.dek.key, dek_id=writer.dek.id, context=context
        )
        self._pending.append(
            {
                **place,
                "kind": kind,
                "offset": extent.offset,
                "sealed_length": extent.length,
                "sha256": extent.sha256,
                "length": length,
                "extra": extra,
            }
        )

    def add_json(self, document: object, **place: Any) -> None:
        """Seal a JSON document."""
        raw = canonical_json(document)
        self.add([raw], len(raw), **place)

    def commit(self) -> None:
        """Show the pack; its objects join the study's list."""
        name = self._pack.commit()
        self._writer.packs.append(name)
        self._writer.entries += [Entry(pack=name, **fields) for fields in self._pending]

    def __enter__(self) -> PackOfStudy:
        return self

    def __exit__(self, *_: object) -> None:
        self._pack.abort()


class StudyWriter:
    """The key, the packs and the entries of a study that isn't visible yet."""

    def __init__(self, practice_id: UUID, patient_id: UUID) -> None:
        self.practice_id = practice_id
        self.study_id = uuid.uuid4()
        self.key_slot: StudyKey
        self.dek: Dek
        self.key_slot, self.dek = make_study_key(practice_id, patient=patient_id, study=self.study_id)
        self.entries: list[Entry] = []
        self.packs: list[str] = []

    def new_pack(self) -> PackOfStudy:
        """Begin a pack of this study."""
        return PackOfStudy(self)

    def write_manifest(self) -> tuple[str, int, str]:
        """Seal the list of all objects; return its pack's name, its plain length and its SHA-256."""
        raw = manifest.encode(self.entries, {"generation": GENERATION})
        context = object_context(self.practice_id, self.study_id, GENERATION, "manifest")
        name = vault().put(raw, dek=self.dek.key, dek_id=self.dek.id, context=context)
        self.packs.append(name)
        return name, len(raw), manifest.digest(raw)
