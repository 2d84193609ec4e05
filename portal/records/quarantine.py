"""Files held back because they can't simply be this chart's: looked at, then thrown away or taken, with a reason.

Held files can't be seen or shared. Whoever takes them onto the chart says why; the originals stay as they are, and
what was decided stands beside them in the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from uuid import UUID

from django.db import transaction

from portal.accounts.permissions import Action, check
from portal.audit import trail
from portal.audit.actor import Actor, system
from portal.clock import now
from portal.dicom.content import Content
from portal.errors import Conflict, InvalidInput, NotFound
from portal.jobs.models import Job
from portal.jobs.queue import enqueue
from portal.jobs.run import Lease, LeaseLost
from portal.records.ingest.commit import store_all
from portal.records.ingest.engine import run
from portal.records.ingest.hold import GENERATION
from portal.records.ingest.sources import Candidate, Place, Read, Refusal, content_of
from portal.records.manifests import object_context
from portal.records.models import QuarantinedGroup, VaultPack
from portal.records.vault import vault
from portal.sealed.keys import shred_study_key, study_key
from portal.vault.header import SEALED_CHUNK_BYTES
from portal.vault.packs import Extent, Pack
from portal.vault.stream import Opener, SealedFile

State = QuarantinedGroup.State
JOB = "accept"
REASON_MAX = 500


def held_groups(practice_id: UUID) -> list[QuarantinedGroup]:
    """The practice's groups that wait for a decision, oldest first."""
    groups = QuarantinedGroup.objects.filter(practice_id=practice_id, state=State.HELD)
    return list(groups.select_related("patient", "upload").order_by("created_at"))


def get_group(practice_id: UUID, group_id: UUID) -> QuarantinedGroup:
    """The practice's group. Raises `NotFound` for anyone else's."""
    groups = QuarantinedGroup.objects.select_related("patient", "upload")
    group = groups.filter(practice_id=practice_id, pk=group_id).first()
    if group is None:
        raise NotFound
    return group


def discard(group: QuarantinedGroup, *, reason: str, actor: Actor) -> None:
    """Throw the files away: their key is destroyed at once.

    Raises `AccessDenied`, `InvalidInput(field="reason")`, `Conflict` when someone was faster.
    """
    with transaction.atomic():
        _resolve(group, State.DISCARDED, reason, actor)
        _forget(group)
    vault().delete(group.pack)


def accept(group: QuarantinedGroup, *, reason: str, actor: Actor) -> None:
    """Say that the files are this patient's; the worker then stores them on the chart. Raises like `discard`."""
    with transaction.atomic():
        _resolve(group, State.ACCEPTED, reason, actor)
        enqueue(JOB, group.pk)


def _resolve(group: QuarantinedGroup, state: str, reason: str, actor: Actor) -> None:
    check(actor, Action.RESOLVE_QUARANTINE)
    words = " ".join(reason.split())
    if not words or len(words) > REASON_MAX:
        raise InvalidInput(f"Say why, in at most {REASON_MAX} letters.", field="reason")
    held = QuarantinedGroup.objects.filter(pk=group.pk, practice=actor.practice, state=State.HELD)
    if not held.update(state=state, resolved_at=now(), resolved_by=actor.id):
        raise Conflict("Someone has already decided about these files. Please reload the page.")
    group.refresh_from_db()
    group.reason = words
    group.save(update_fields=["reason"])
    trail.record(
        "quarantine.resolved",
        actor=actor,
        patient=group.patient_id,
        group=str(group.pk),
        decision=state,
        cause=group.cause,
        files=group.file_count,
        private={"reason": words},
    )


def store_accepted(group_id: UUID, lease: Lease) -> None:
    """The job that puts an accepted group onto the chart, once."""
    group = QuarantinedGroup.objects.select_related("patient", "upload").get(
        pk=group_id, state=State.ACCEPTED
    )
    if VaultPack.objects.filter(quarantined=group).exists():
        outcome = run(
            HeldSource(group), patient=group.patient, upload=group.upload, lease=lease, is_resolved=True
        )
        with transaction.atomic():
            if not _forget(group):
                raise LeaseLost
            store_all(group.upload, outcome, actor=system(group.practice_id))
            lease.finish(Job.State.DONE)
    vault().delete(group.pack)


def _forget(group: QuarantinedGroup) -> int:
    """Destroy the key and give up the pack, in the caller's transaction. Returns 0 if that was done before."""
    shred_study_key(group.practice_id, group.pk)
    return VaultPack.objects.filter(quarantined=group).delete()[0]


class HeldSource:
    """The files of a group, as they came (a `Source` of an ingest)."""

    def __init__(self, group: QuarantinedGroup) -> None:
        self._group = group
        self._dek = study_key(group.practice_id, group.pk, GENERATION)
        self._files = {UUID(file["id"]): file for file in group.files}

    def count(self) -> int:
        """How many files there are."""
        return len(self._files)

    def files(self) -> Iterator[tuple[str, list[Candidate] | Refusal]]:
        """Each file by its name."""
        for file_id, file in self._files.items():
            place = Place(file_id)
            yield file["name"], [Candidate(place, file["name"], self.opener(place))]

    def opener(self, place: Place) -> Read:
        """How to read a file again."""
        return partial(self._read, place.file)

    def _read(self, file_id: UUID) -> Content:
        file = self._files[file_id]
        extent = Extent(file["offset"], file["sealed_length"], file["sha256"])
        group = self._group
        context = object_context(group.practice_id, group.pk, GENERATION, "original", instance=file_id)
        pack = vault().open_pack(group.pack)
        opener = Opener(
            pack.view(extent),
            dek=self._dek.key,
            dek_id=self._dek.id,
            context=context,
            length=file["length"],
        )
        return content_of(SealedFile([_HeldFile(opener, pack, extent)]))  # type: ignore[list-item]


class _HeldFile:
    """A held file, chunk by chunk; what was read leaves this process's memory behind it."""

    def __init__(self, opener: Opener, pack: Pack, extent: Extent) -> None:
        self._opener, self._pack, self._extent = opener, pack, extent
        self.length = opener.length

    def chunk(self, index: int) -> bytes:
        chunk = self._opener.chunk(index)
        self._pack.let_go(self._extent.offset + index * SEALED_CHUNK_BYTES, SEALED_CHUNK_BYTES)
        return chunk
