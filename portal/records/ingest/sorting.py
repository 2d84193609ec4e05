"""Whose the files are, and which of them are already there.

A name or birth date that isn't the chart's sends a file to quarantine, and no parameter lets it pass. What the file
doesn't say contradicts nothing: it is taken onto the chart it was dropped on, and the desk is told.

Source: issue "foreign patient in a ZIP"; DICOM PS3.3 C.12.1 (a SOP Instance UID names one object for ever).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from portal.dicom.patient_match import Match, group_by_patient, same_patient
from portal.records.ingest.survey import Found
from portal.records.manifests import open_manifest
from portal.records.models import Instance, Patient, QuarantinedGroup, Study
from portal.sealed.fields import blind_index
from portal.vault.manifest import Manifest

Cause = QuarantinedGroup.Cause
LOOK_UP = 500

NAMELESS = (
    "Some files name no patient or no birth date. They were taken onto this chart: please look at the images."
)
KNOWN = "Images that were already here were recognised and not stored twice."
TWICE = "The same image came more than once and was stored once."


@dataclass(frozen=True, slots=True)
class Held:
    """Files that go to quarantine together, and the DICOM keywords in which they differ from the chart."""

    cause: str
    found: list[Found]
    differences: tuple[str, ...] = ()


@dataclass(slots=True)
class Sorted:
    """What is taken, what is held, the studies that were already here, and what the desk is told."""

    taken: list[Found] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    known_studies: set[Study] = field(default_factory=set)
    notices: list[str] = field(default_factory=list)

    def tell(self, sentence: str) -> None:
        """Add a notice once."""
        if sentence not in self.notices:
            self.notices.append(sentence)


def instance_index(practice_id: UUID, sop_instance_uid: str) -> bytes:
    """The blind index by which a stored file is known."""
    return blind_index(practice_id, "sop", sop_instance_uid)


def study_index(practice_id: UUID, study_instance_uid: str) -> bytes:
    """The blind index by which the parts of a study are known."""
    return blind_index(practice_id, "study", study_instance_uid)


def sort_files(found: list[Found], patient: Patient, *, is_resolved: bool = False) -> Sorted:
    """Sort what was found for a chart.

    `is_resolved`: someone with the right has said, with a reason, that these files are this patient's; then only
    what is stored already, byte for byte, is left out.
    """
    result = Sorted()
    mine = found if is_resolved else _of_this_patient(found, patient, result)
    stored = _Stored(patient, mine)
    seen: dict[str, Found] = {}
    conflicts: dict[str, list[Found]] = defaultdict(list)
    for file in mine:
        uid = file.header.sop_instance_uid
        if uid in seen:
            _meet_again(seen[uid], file, result, conflicts)
        elif cause := stored.conflict(file, is_resolved):
            conflicts[cause].append(file)
        elif study := stored.study_of(file):
            result.known_studies.add(study)
            result.tell(KNOWN)
        else:
            seen[uid] = file
            result.taken.append(file)
    result.held += [Held(cause, files) for cause, files in sorted(conflicts.items())]
    return result


def _meet_again(first: Found, second: Found, result: Sorted, conflicts: dict[str, list[Found]]) -> None:
    if first.fingerprint.sha256 == second.fingerprint.sha256:
        result.tell(TWICE)
    else:
        conflicts[Cause.OTHER_BYTES].append(second)


def _of_this_patient(found: list[Found], patient: Patient, result: Sorted) -> list[Found]:
    """The files of this chart; the others are held, a group for each person they speak of."""
    chart_name = f"{patient.family_name}^{patient.given_name}"
    mine: list[Found] = []
    foreign: list[Found] = []
    differences: dict[int, tuple[str, ...]] = {}
    for file in found:
        comparison = same_patient(file.header, chart_name, patient.birthdate)
        if comparison.match is Match.MISMATCH:
            differences[id(file)] = comparison.differences
            foreign.append(file)
            continue
        if comparison.match is Match.UNKNOWN:
            result.tell(NAMELESS)
        mine.append(file)
    for group in group_by_patient([file.header for file in foreign]):
        files = [foreign[index] for index in group.indices]
        keywords = tuple(sorted({keyword for file in files for keyword in differences[id(file)]}))
        result.held.append(Held(Cause.OTHER_PATIENT, files, keywords))
    return mine


class _Stored:
    """What the practice has of these SOP Instance UIDs already."""

    def __init__(self, patient: Patient, found: list[Found]) -> None:
        self._patient = patient
        self._rows: dict[bytes, list[Instance]] = defaultdict(list)
        self._manifests: dict[UUID, Manifest] = {}
        indexes = [instance_index(patient.practice_id, file.header.sop_instance_uid) for file in found]
        self._index = {
            file.header.sop_instance_uid: index for file, index in zip(found, indexes, strict=True)
        }
        for some in _batches(set(indexes)):
            for row in stored_instances(patient.practice_id, some):
                self._rows[row.uid_index].append(row)

    def conflict(self, file: Found, is_resolved: bool) -> str:
        """Why the file can't simply be stored, or ""."""
        rows = self._rows_of(file)
        if is_resolved or not rows or self.study_of(file):
            return ""
        is_mine = any(row.series.study.patient_id == self._patient.pk for row in rows)
        return Cause.OTHER_BYTES if is_mine else Cause.OTHER_CHART

    def study_of(self, file: Found) -> Study | None:
        """The study of this patient that has the file, byte for byte."""
        for row in self._rows_of(file):
            study = row.series.study
            if study.patient_id == self._patient.pk and self._sha256_of(row) == file.fingerprint.sha256:
                return study
        return None

    def _rows_of(self, file: Found) -> list[Instance]:
        return self._rows.get(self._index[file.header.sop_instance_uid], [])

    def _sha256_of(self, row: Instance) -> str:
        study = row.series.study
        if study.pk not in self._manifests:
            self._manifests[study.pk] = open_manifest(study)
        entry = self._manifests[study.pk].find(row.series_id, "original", instance=row.pk)
        return str(entry.extra["sha256"])


def stored_instances(practice_id: UUID, indexes: Iterable[bytes]) -> Iterable[Instance]:
    """The stored instances with these blind indexes, with series and study."""
    rows = Instance.objects.filter(practice_id=practice_id, uid_index__in=list(indexes))
    return rows.filter(series__study__state=Study.State.STORED).select_related("series__study")


def _batches(indexes: Iterable[bytes]) -> Iterator[list[bytes]]:
    iterator = iter(indexes)
    while some := list(islice(iterator, LOOK_UP)):
        yield some
