"""kill -9 of the worker at thirteen points of an ingest: afterwards the study is there once, complete."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from portal.audit.verify import verify
from portal.jobs.models import Job
from portal.jobs.run import run
from portal.jobs.sweep import resume_all
from portal.records.leftovers import delete_leftovers
from portal.records.models import Instance, Study, Upload, UploadPart, VaultPack
from portal.records.uploads import sweep_abandoned
from portal.records.vault import spool, vault
from portal.sealed.models import StudyKey
from tests.cast import make_patient, make_practice
from tests.flows.canaries import Search, of_pixels, of_text
from tests.flows.dying_worker import POINTS
from tests.flows.test_nothing_in_clear import assert_none
from tests.portal.records.scans import Scan, Stored, sent, series

ROOT = Path(__file__).resolve().parents[2]
# After these the act is done, and only the spool is left to be wiped.
COMMITTED = {"after-the-commit", "in-the-wiping"}


def database_url() -> str:
    """The test's own database, as another process is told of it."""
    told = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{told['NAME']}"
    return f"postgres://{told['USER']}:{told['PASSWORD']}@{told['HOST']}:{told['PORT']}/{told['NAME']}"


def work_until(point: str, job: Job) -> int:
    """Run the job in a process that dies at the point; return how it ended."""
    environment = {**os.environ, "DATABASE_URL": database_url(), "SCANPASS_STATE": str(settings.STATE_DIR)}
    command = [sys.executable, "-m", "tests.flows.dying_worker", str(job.pk), point]
    return subprocess.run(
        command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, timeout=120
    ).returncode


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", POINTS)
def test_r3_killed_at(point: str) -> None:
    practice = make_practice()
    patient = make_patient(practice)
    delete_leftovers(older_than_s=0)
    scan = Scan(study_uid="1.2.3.700", series_uid="1.2.3.700.1")
    files = series(scan, 8)
    foreign = series(Scan(name="Miller^Ann", study_uid="1.2.3.800"), 1)
    upload = sent(patient, {**files, "foreign": foreign["IM001"], "notes.txt": b"these are only notes"})
    job = Job.objects.get(subject_id=upload.pk)
    needles = [*of_text("name", scan.name, "Miller^Ann"), *of_pixels("original", files["IM001"])]

    assert work_until(point, job) == -signal.SIGKILL
    assert_none(Search(needles).below(Path(settings.STATE_DIR)))
    assert Study.objects.count() == (1 if point in COMMITTED else 0), "nothing half visible"
    assert Instance.objects.count() == (8 if point in COMMITTED else 0)

    resume_all()
    run(job.pk)
    sweep_abandoned()
    upload.refresh_from_db()
    job.refresh_from_db()
    assert (upload.state, job.state) == (Upload.State.DONE, Job.State.DONE), job.failure
    study = Study.objects.get()
    assert Stored(study).originals() == list(files.values())
    assert (upload.quarantined.count(), upload.refused.count()) == (1, 1)
    assert verify(practice.pk).finding is None

    delete_leftovers(older_than_s=0)
    assert set(vault().names()) == set(VaultPack.objects.values_list("name", flat=True))
    assert set(Stored(study).manifest.packs()) <= set(vault().names())
    assert not UploadPart.objects.exists()
    assert list(spool().names()) == []
    assert StudyKey.objects.count() == 2, "the study's and the held group's"
