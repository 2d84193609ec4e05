"""Putting files into quarantine: their bytes as they came, sealed in a pack under a key of their own."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from portal.records.ingest.sorting import Held
from portal.records.ingest.sources import Source
from portal.records.ingest.survey import Found
from portal.records.manifests import object_context
from portal.records.models import Patient, QuarantinedGroup, Upload
from portal.records.vault import vault
from portal.sealed.keys import make_study_key
from portal.sealed.models import StudyKey

GENERATION = 1


@dataclass(frozen=True, slots=True)
class HeldGroup:
    """A group whose pack is on the disk, not yet visible."""

    row: QuarantinedGroup
    key_slot: StudyKey


def write_held(held: Held, upload: Upload, patient: Patient, source: Source) -> HeldGroup:
    """Seal the files of a group."""
    group_id = uuid.uuid4()
    slot, dek = make_study_key(patient.practice_id, patient=patient.pk, study=group_id)
    files: list[dict[str, Any]] = []
    with vault().new_pack() as pack:
        for found in held.found:
            file_id = uuid.uuid4()
            context = object_context(patient.practice_id, group_id, GENERATION, "original", instance=file_id)
            content = source.opener(found.place)()
            extent = pack.append_stream(
                content.pieces(), content.length, dek=dek.key, dek_id=dek.id, context=context
            )
            files.append(
                {
                    "id": str(file_id),
                    "name": found.name,
                    "offset": extent.offset,
                    "sealed_length": extent.length,
                    "sha256": extent.sha256,
                    "length": content.length,
                }
            )
        name = pack.commit()
    row = QuarantinedGroup(
        id=group_id,
        practice_id=patient.practice_id,
        upload=upload,
        patient=patient,
        cause=held.cause,
        header=header_of(held),
        files=files,
        pack=name,
        file_count=len(files),
    )
    return HeldGroup(row, slot)


def header_of(held: Held) -> dict[str, Any]:
    """What the files say, for the person who decides: the name and date as written, and what they show."""
    first = held.found[0].header
    return {
        "patient_name": first.patient_name,
        "birthdate": first.patient_birth_date,
        "patient_id": first.patient_id,
        "differences": list(held.differences),
        "studies": _studies(held.found),
    }


def _studies(found: list[Found]) -> list[dict[str, Any]]:
    studies: dict[str, dict[str, Any]] = {}
    for file in found:
        header = file.header
        key = header.study_instance_uid or header.sop_instance_uid
        study = studies.setdefault(
            key,
            {
                "date": header.study_date,
                "description": header.study_description,
                "modality": header.modality,
                "files": 0,
            },
        )
        study["files"] += 1
    return list(studies.values())
