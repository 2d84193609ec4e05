"""The job that turns an upload into studies: safe to start twice, finished once."""

from __future__ import annotations

from uuid import UUID

from portal.audit.actor import system
from portal.jobs.run import Lease
from portal.records.ingest.commit import commit_upload
from portal.records.ingest.engine import run
from portal.records.ingest.sources import SpoolSource
from portal.records.models import Upload
from portal.records.spool import wipe


def ingest_upload(upload_id: UUID, lease: Lease) -> None:
    """Store what an upload holds. A run that was killed left packs nobody refers to, and is done again."""
    upload = Upload.objects.select_related("patient").get(pk=upload_id)
    if upload.state == Upload.State.WAITING:
        outcome = run(SpoolSource(upload), patient=upload.patient, upload=upload, lease=lease)
        commit_upload(upload, outcome, actor=system(upload.practice_id), lease=lease)
    wipe(upload)
