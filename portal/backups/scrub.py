"""The scrub: every stored object is held against the hash in its study's manifest, so that bit rot is found in days.

It needs the keys (manifests are sealed) and opens no image. What it finds, it names by study.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction

from portal.audit import trail
from portal.audit.actor import system
from portal.audit.events import FAILED
from portal.backups import runs
from portal.backups.models import Run
from portal.errors import Sealed, VaultDamaged
from portal.records.manifests import open_manifest
from portal.records.models import Study, VaultPack
from portal.records.vault import vault
from portal.vault.manifest import Entry


@dataclass
class _Found:
    studies: int = 0
    objects: int = 0
    length_bytes: int = 0
    hit: dict[UUID, str] = field(default_factory=dict)


def scrub() -> Run:
    """Check everything that is stored, once."""
    run, found = runs.begin(Run.Kind.SCRUB), _Found()
    for study in Study.objects.filter(state=Study.State.STORED).iterator(chunk_size=200):
        _check(study, found)
    for pack in VaultPack.objects.filter(study=None).select_related("quarantined"):
        if not vault().exists(pack.name):
            found.hit[pack.quarantined_id or UUID(int=0)] = "pack-missing"
    return runs.end(
        run,
        Run.Outcome.DAMAGED if found.hit else Run.Outcome.OK,
        _sentence(found),
        studies=found.studies,
        objects=found.objects,
        length_bytes=found.length_bytes,
        hit=sorted(map(str, found.hit)),
    )


def _sentence(found: _Found) -> str:
    if found.hit:
        return f"{len(found.hit)} of {found.studies} studies are damaged. Restore their packs from a backup."
    return f"All {found.objects} objects of {found.studies} studies are as they were stored."


def _check(study: Study, found: _Found) -> None:
    found.studies += 1
    try:
        _check_objects(open_manifest(study).entries, found)
    except Sealed:
        # Shredded while the scrub ran, or long ago: there is nothing to keep any more.
        return
    except VaultDamaged as damage:
        # A study deleted meanwhile took its packs along.
        if Study.objects.filter(pk=study.pk, state=Study.State.STORED).exists():
            found.hit[study.pk] = damage.reason
            _tell(study, damage.reason)


def _check_objects(entries: Iterable[Entry], found: _Found) -> None:
    for entry in entries:
        pack = vault().open_pack(entry.pack)
        pack.check(entry.extent)
        pack.let_go(entry.offset, entry.sealed_length)
        found.objects += 1
        found.length_bytes += entry.sealed_length


def _tell(study: Study, reason: str) -> None:
    with transaction.atomic():
        trail.record(
            "vault.damaged",
            actor=system(study.practice_id),
            outcome=FAILED,
            patient=study.patient_id,
            study=study.pk,
            reason=reason,
        )
