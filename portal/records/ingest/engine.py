"""One ingest from its source to packs on the disk: surveyed, sorted, planned, written. Nothing is visible yet."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from portal.dicom.sandbox import Sandbox
from portal.jobs.run import Lease
from portal.records.ingest.display_order import in_display_order
from portal.records.ingest.document import display_document
from portal.records.ingest.frames import CannotShow
from portal.records.ingest.hold import HeldGroup, write_held
from portal.records.ingest.plan import plan_series
from portal.records.ingest.sorting import Sorted, sort_files
from portal.records.ingest.sources import Refusal, Source
from portal.records.ingest.survey import UNREADABLE, Found, survey
from portal.records.ingest.write import SeriesWriter, WrittenSeries
from portal.records.ingest.writer import StudyWriter
from portal.records.models import Patient, Upload

THREADS = 2
TELL_EVERY_S = 0.5


@dataclass(slots=True)
class WrittenStudy:
    """A study whose packs are on the disk, not yet visible. `manifest` is (pack, plain length, SHA-256)."""

    uid: str
    writer: StudyWriter
    series: list[WrittenSeries]
    manifest: tuple[str, int, str]

    @property
    def files(self) -> list[Found]:
        """Every file of the study, in stored order."""
        return [file for written in self.series for file in written.plan.files]


@dataclass(slots=True)
class Outcome:
    """What an ingest leads to, once committed."""

    sorted: Sorted
    refused: list[Refusal]
    studies: list[WrittenStudy] = field(default_factory=list)
    held: list[HeldGroup] = field(default_factory=list)


def run(
    source: Source, *, patient: Patient, upload: Upload, lease: Lease, is_resolved: bool = False
) -> Outcome:
    """Read everything and write what is taken."""
    step = Progress(lease, source.count() * 2).step
    with Sandbox() as box, ThreadPoolExecutor(THREADS, thread_name_prefix="ingest") as pool:
        seen = survey(source, box, step)
        outcome = Outcome(sort_files(seen.found, patient, is_resolved=is_resolved), seen.refused)
        for uid, files in _by_study(outcome.sorted.taken).items():
            outcome.studies.append(_write_study(uid, files, patient, source, box, pool, step))
        for held in outcome.sorted.held:
            outcome.held.append(write_held(held, upload, patient, source))
    return outcome


class Progress:
    """Counts steps and tells the job's row now and then. Raises `LeaseLost` when another worker has it."""

    def __init__(self, lease: Lease, total: int) -> None:
        self._lease, self._total, self._done = lease, total, 0
        self._told_at = 0.0

    def step(self) -> None:
        """One more."""
        self._done += 1
        if time.monotonic() - self._told_at >= TELL_EVERY_S:
            self._told_at = time.monotonic()
            self._lease.progress(min(self._done, self._total), self._total)


def study_uid_of(file: Found) -> str:
    """The study a file belongs to; a file that names none stands for itself."""
    return file.header.study_instance_uid or file.header.sop_instance_uid


def _by_study(files: list[Found]) -> dict[str, list[Found]]:
    studies: dict[str, list[Found]] = defaultdict(list)
    for file in files:
        studies[study_uid_of(file)].append(file)
    return studies


def _by_series(files: list[Found]) -> list[list[Found]]:
    """By series number, then in order of appearance."""
    series: dict[str, list[Found]] = defaultdict(list)
    for file in files:
        series[file.header.series_instance_uid or file.header.sop_instance_uid].append(file)
    return sorted(series.values(), key=lambda some: some[0].header.series_number or 0)


def _write_study(
    uid: str,
    files: list[Found],
    patient: Patient,
    source: Source,
    box: Sandbox,
    pool: ThreadPoolExecutor,
    step: Callable[[], None],
) -> WrittenStudy:
    study = StudyWriter(patient.practice_id, patient.pk)
    writer = SeriesWriter(study, source, box, pool, step)
    written = [each for some in _by_series(files) for each in _write_series(some, writer)]
    series = in_display_order(written)
    with study.new_pack() as pack:
        pack.add_json(display_document(series), kind="document")
        pack.commit()
    return WrittenStudy(uid, study, series, study.write_manifest())


def _write_series(files: list[Found], writer: SeriesWriter) -> list[WrittenSeries]:
    """The series of one UID. A file that fails while it is decoded is planned anew, among those that can't be shown."""
    waiting, written = plan_series(files), []
    while waiting:
        plan = waiting.pop(0)
        try:
            written.append(writer.write(plan))
        except CannotShow as failure:
            left = [_unshown(file) if file is failure.file else file for file in plan.files]
            waiting = [*plan_series(left), *waiting]
    return written


def _unshown(file: Found) -> Found:
    return replace(file, description=None, reason=UNREADABLE)
