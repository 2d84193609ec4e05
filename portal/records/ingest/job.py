"""The job that turns an upload into studies: safe to start twice, finished once."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db.models import Sum

from portal.audit.actor import system
from portal.jobs.run import Lease
from portal.records.ingest.commit import commit_upload
from portal.records.ingest.engine import run
from portal.records.ingest.sources import SpoolSource
from portal.records.models import Upload, UploadedFile
from portal.records.spool import check_room, wipe

# The originals, and what is shown of them: another 0.14 and 0.46 of their size for two cone-beam studies measured,
# more where the originals are compressed.
VAULT_SHARE = 2


def ingest_upload(upload_id: UUID, lease: Lease) -> None:
    """Store what an upload holds. A run that was killed left packs nobody refers to, and is done again."""
    upload = Upload.objects.select_related("patient").get(pk=upload_id)
    if upload.state == Upload.State.WAITING:
        _check_room(upload)
        outcome = run(SpoolSource(upload), patient=upload.patient, upload=upload, lease=lease)
        commit_upload(upload, outcome, actor=system(upload.practice_id), lease=lease)
    wipe(upload)


def _check_room(upload: Upload) -> None:
    """Better to wait with a sentence than to stop half way. An archive may unpack to more; then the disk says so."""
    length = UploadedFile.objects.filter(upload=upload).aggregate(total=Sum("length"))["total"] or 0
    check_room(length * VAULT_SHARE, settings.VAULT_DIR)
