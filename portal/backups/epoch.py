"""What lives at a moment: the key slots, and which shares were ended. Kept apart from the snapshots, for 35 days.

A restore takes the newest epoch whatever snapshot it restores: a study shredded since has no slot there, and a share
revoked since stays revoked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Final, cast
from uuid import UUID

from portal.backups.target import Target
from portal.records.models import QuarantinedGroup, Study
from portal.sealed.models import StudyKey
from portal.vault.encoding import canonical_json

# Named by string because sharing stands to the right of this house.
REVOKED: Final = "sharing.after_restore.revoked_shares"


def named(path: str) -> Callable[..., Any]:
    """The function at a dotted path."""
    module, _, name = path.rpartition(".")
    return cast(Callable[..., Any], getattr(import_module(module), name))


def write_epoch(target: Target, slots: list[list[Any]], made_at: datetime) -> str:
    """Write what lives now; returns the epoch's name. The target is locked by the caller."""
    with target.new_set("epoch", made_at) as epoch:
        epoch.add_bytes("epoch", canonical_json({"slots": slots, "revoked": named(REVOKED)()}))
        return target.publish(epoch)


def live_slots() -> list[list[Any]]:
    """Every key slot as it is now, as `write_epoch` takes them."""
    return [
        [
            *map(str, (slot.pk, slot.practice_id, slot.patient_id, slot.study_id)),
            slot.generation,
            slot.practice_key_version,
            bytes(slot.wrapped).hex(),
            slot.created_at.isoformat(),
        ]
        for slot in StudyKey.objects.iterator(chunk_size=1000)
    ]


def says_same(raw: bytes, slots: list[list[Any]]) -> bool:
    """Whether an epoch in `raw` names the same keys, wrapped the same, and the same revoked shares."""
    said = json.loads(raw)
    return said["revoked"] == named(REVOKED)() and _wrapped(said["slots"]) == _wrapped(slots)


def _wrapped(slots: list[list[Any]]) -> set[tuple[str, str]]:
    return {(row[0], row[6]) for row in slots}


def apply_slots(raw: bytes) -> tuple[int, int]:
    """Put the epoch's slots of what was restored into the database.

    Returns how many slots there are now, and how many studies have none: those were shredded.
    """
    rows = [_slot(row) for row in json.loads(raw)["slots"]]
    known = set(Study.objects.values_list("pk", flat=True)) | set(
        QuarantinedGroup.objects.values_list("pk", flat=True)
    )
    kept = [row for row in rows if row.study_id in known]
    # A restore that was interrupted here goes on here.
    StudyKey.objects.bulk_create(kept, batch_size=500, ignore_conflicts=True)
    opened = {row.study_id for row in kept}
    stored = Study.objects.filter(state=Study.State.STORED).values_list("pk", flat=True)
    return len(kept), sum(study not in opened for study in stored)


def revoked_in(raw: bytes) -> list[str]:
    """The shares that were revoked when the epoch was written."""
    return list(json.loads(raw)["revoked"])


def _slot(row: list[Any]) -> StudyKey:
    slot, practice, patient, study, generation, version, wrapped, created_at = row
    moment = datetime.fromisoformat(created_at)
    return StudyKey(
        id=UUID(slot),
        practice_id=UUID(practice),
        patient_id=UUID(patient),
        study_id=UUID(study),
        generation=generation,
        practice_key_version=version,
        wrapped=bytes.fromhex(wrapped),
        created_at=moment if moment.tzinfo else moment.replace(tzinfo=UTC),
    )
