"""A study's sealed manifest: where it lies, and how it is opened against its row."""

from __future__ import annotations

from uuid import UUID

from portal.records.models import Study
from portal.records.vault import vault
from portal.sealed.keys import study_key
from portal.vault.context import NIL, Context
from portal.vault.manifest import Manifest, decode
from portal.vault.stream import open_bytes


def object_context(
    practice_id: UUID,
    study_id: UUID,
    generation: int,
    kind: str,
    *,
    series: UUID = NIL,
    instance: UUID = NIL,
    index: int = 0,
    level: int = 0,
) -> Context:
    """The place of an object of a study."""
    return Context(practice_id, study_id, series, instance, kind, index, level, generation)


def open_manifest(study: Study) -> Manifest:
    """The manifest, held against the hash and the generation of its row. Raises `VaultDamaged`, `Sealed`."""
    dek = study_key(study.practice_id, study.pk, study.generation)
    raw = open_bytes(
        vault().open_pack(study.manifest_blob).whole(),
        dek=dek.key,
        dek_id=dek.id,
        context=object_context(study.practice_id, study.pk, study.generation, "manifest"),
        length=study.manifest_length,
    )
    return decode(raw, sha256=study.manifest_sha256, generation=study.generation)
