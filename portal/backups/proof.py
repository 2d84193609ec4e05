"""What shows that a restored copy is good: every chain verifies, and studies picked at random open to the last byte."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from portal.audit.verify import verify_all
from portal.errors import Sealed, VaultDamaged
from portal.records.manifests import object_context, open_manifest
from portal.records.models import Study
from portal.records.vault import vault
from portal.sealed.keys import study_key
from portal.vault.manifest import Entry
from portal.vault.opener import Opener

SAMPLE = 3


@dataclass
class Proof:
    """What was tried. `bad_chains` and `unopened` name practices and studies by id; empty when all is well."""

    chains: int = 0
    entries: int = 0
    bad_chains: list[str] = field(default_factory=list)
    studies: int = 0
    objects: int = 0
    opened_bytes: int = 0
    unopened: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not self.bad_chains and not self.unopened


def prove(*, sample: int = SAMPLE) -> Proof:
    """Verify every chain and open every object of `sample` studies."""
    proof = Proof()
    for verdict in verify_all():
        proof.chains += 1
        proof.entries += verdict.entries
        if verdict.finding:
            proof.bad_chains.append(str(verdict.practice))
    stored = list(Study.objects.filter(state=Study.State.STORED).values_list("pk", flat=True))
    for study_id in random.sample(stored, min(sample, len(stored))):
        _open_all(Study.objects.get(pk=study_id), proof)
    return proof


def _open_all(study: Study, proof: Proof) -> None:
    proof.studies += 1
    try:
        for entry in open_manifest(study).entries:
            proof.opened_bytes += _open(study, entry)
            proof.objects += 1
    except (VaultDamaged, Sealed):
        proof.unopened.append(str(study.pk))


def _open(study: Study, entry: Entry) -> int:
    dek = study_key(study.practice_id, study.pk, study.generation)
    context = object_context(
        study.practice_id,
        study.pk,
        study.generation,
        entry.kind,
        series=entry.series,
        instance=entry.instance,
        index=entry.index,
        level=entry.level,
    )
    pack = vault().open_pack(entry.pack)
    sealed = pack.view(entry.extent)
    opener = Opener(sealed, dek=dek.key, dek_id=dek.id, context=context, length=entry.length)
    count = sum(len(chunk) for chunk in opener.chunks())
    del opener, sealed
    pack.let_go(entry.offset, entry.sealed_length)
    return count
