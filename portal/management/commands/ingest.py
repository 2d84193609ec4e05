"""`manage.py ingest PATH --patient UUID | --chart NUMBER`: put a folder or a ZIP of this machine onto a chart."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.audit.actor import system
from portal.errors import ScanpassError
from portal.jobs.models import Job
from portal.jobs.run import run
from portal.practice.models import Practice
from portal.records.folding import fold_chart_number
from portal.records.local_files import upload_path
from portal.records.models import Patient, SearchTerm, Upload
from portal.records.search_terms import Field, index_of
from portal.records.upload_status import describe
from portal.records.uploads import JOB


class Command(BaseCommand):
    help = "Store a folder, a ZIP or a file of DICOM images on a patient's chart."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="a folder, a ZIP or one file")
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--patient", type=UUID, help="the patient's id, as in the address of their page")
        whose.add_argument("--chart", help="the patient's chart number")
        parser.add_argument(
            "--practice", type=UUID, help="needed with --chart where there are several practices"
        )

    def handle(self, *args: object, **options: object) -> None:
        path = Path(str(options["path"]))
        try:
            patient = _patient(options)
            upload = upload_path(patient, path.resolve(), actor=system(patient.practice_id))
        except ScanpassError as error:
            raise CommandError(error.sentence) from None
        run(Job.objects.get(kind=JOB, subject_id=upload.pk).pk)
        self._report(Upload.objects.get(pk=upload.pk))

    def _report(self, upload: Upload) -> None:
        told = describe(upload)
        for study in told["studies"]:
            self.stdout.write(f"stored  {study['id']}  {study['files']} files")
        for refusal in told["refused"]:
            self.stdout.write(f"refused {refusal['name']}: {refusal['sentence']}")
        for notice in told["notices"]:
            self.stdout.write(notice)
        self.stdout.write(told["sentence"])
        if upload.state != Upload.State.DONE:
            raise CommandError("The images are not stored yet. The worker tries again in a while.")


def _patient(options: dict[str, object]) -> Patient:
    if options["patient"]:
        found = Patient.objects.filter(pk=str(options["patient"])).first()
    else:
        found = _by_chart(str(options["chart"]), options["practice"])
    if found is None:
        raise CommandError("There is no such patient.")
    return found


def _by_chart(number: str, practice: object) -> Patient | None:
    practices = list(Practice.objects.values_list("pk", flat=True)[:2]) if practice is None else [practice]
    if len(practices) != 1:
        raise CommandError("Say which practice, with --practice and its id.")
    practice_id = UUID(str(practices[0]))
    value = index_of(practice_id, Field.CHART_NUMBER, fold_chart_number(number))
    term = SearchTerm.objects.filter(practice_id=practice_id, field=Field.CHART_NUMBER, value=value).first()
    return term.patient if term else None
