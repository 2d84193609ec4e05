"""`manage.py ingest`: the same verbs, from the command line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from portal.accounts.models import User
from portal.practice.models import Practice
from portal.records.models import Study
from tests.portal.records.scans import Scan, series
from tests.portal.records.test_patients import add

SCAN = Scan(study_uid="1.2.3.900", series_uid="1.2.3.900.1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in series(SCAN, 3).items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "notes.txt").write_text("these are only notes")
    (tmp_path / "link").symlink_to("/etc/passwd")
    return tmp_path


@pytest.mark.parametrize("by_chart", [True, False])
def test_a_folder_is_stored_on_a_chart(smile: Practice, dana: User, folder: Path, by_chart: bool) -> None:
    patient = add(smile, dana)
    whose = {"chart": "sp-000101"} if by_chart else {"patient": str(patient.pk)}
    out = io.StringIO()
    call_command("ingest", str(folder), stdout=out, **whose)
    assert Study.objects.get(patient=patient).file_count == 3
    assert "stored" in out.getvalue()
    assert "notes.txt: This is not a DICOM file." in out.getvalue()
    assert "passwd" not in out.getvalue()


def test_what_is_wrong_is_said_in_one_line(
    smile: Practice, bright: Practice, dana: User, folder: Path
) -> None:
    patient = add(smile, dana)
    with pytest.raises(CommandError, match="Say which practice"):
        call_command("ingest", str(folder), chart="SP-000101")
    with pytest.raises(CommandError, match="no such patient"):
        call_command("ingest", str(folder), chart="SP-000101", practice=bright.pk)
    with pytest.raises(CommandError, match="no file at this place"):
        call_command("ingest", str(folder / "missing"), patient=str(patient.pk))
