"""The DICOMDIR, read by pydicom's own reader of file sets and by dcmtk."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.fileset import FileSet
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from viewer.dicomdir import ListedFile, build_dicomdir

PATIENT = {"PatientName": "García^María", "PatientID": "C-1", "PatientBirthDate": "19860412"}
STUDY = {"StudyInstanceUID": "1.2.3", "StudyDate": "20260312", "StudyTime": "093000", "StudyID": "7"}


def listed(series: int, number: int, **tags: Any) -> ListedFile:
    instance = {
        "SOPClassUID": str(CTImageStorage),
        "SOPInstanceUID": f"1.2.3.{series}.{number}",
        "TransferSyntaxUID": str(ExplicitVRLittleEndian),
        "InstanceNumber": number,
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "Rows": 512,
        **tags,
    }
    series_tags = {"SeriesInstanceUID": f"1.2.3.{series}", "SeriesNumber": series, "Modality": "CT"}
    return ListedFile(("DICOM", f"S{series:04}", f"I{number:07}"), PATIENT, STUDY, series_tags, instance)


@pytest.fixture(autouse=True)
def _tidy_file_sets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """pydicom leaves the temporary folder of a file set to the garbage collector, which warns of it."""
    made: list[FileSet] = []
    begin = FileSet.__init__

    def remember(self: FileSet, *args: Any) -> None:
        made.append(self)
        begin(self, *args)

    monkeypatch.setattr(FileSet, "__init__", remember)
    yield
    for file_set in made:
        file_set._stage["t"].cleanup()


def written(files: Sequence[ListedFile], folder: Path) -> Path:
    path = folder / "DICOMDIR"
    for file in files:
        stored = folder.joinpath(*file.path)  # pydicom looks whether it is there, and no further
        stored.parent.mkdir(parents=True, exist_ok=True)
        stored.touch()
    path.write_bytes(build_dicomdir(files, key="k"))
    return path


def test_pydicom_reads_it_as_a_file_set(tmp_path: Path) -> None:
    files = [listed(series, number) for series in (1, 2) for number in range(1, 6)]
    found = FileSet(written(files, tmp_path))
    assert [Path(one.path).relative_to(tmp_path).parts for one in found] == [file.path for file in files]
    assert found.find_values("PatientID") == ["C-1"]
    assert str(found.find_values("PatientName")[0]) == "García^María"
    assert found.find_values("SeriesInstanceUID") == ["1.2.3.1", "1.2.3.2"]
    assert [one.SOPInstanceUID for one in found] == [file.instance["SOPInstanceUID"] for file in files]


def test_series_stored_in_parts_stand_together(tmp_path: Path) -> None:
    parts = [listed(1, 1), listed(2, 1), listed(1, 2)]
    found = FileSet(written(parts, tmp_path))
    assert [one.InstanceNumber for one in found.find(SeriesInstanceUID="1.2.3.1")] == [1, 2]


def test_what_a_record_must_have_and_a_file_lacks_is_filled_in(tmp_path: Path) -> None:
    bare = ListedFile(("DICOM", "S0001", "I0000001"), {}, {"StudyInstanceUID": "1.2"}, {"SeriesInstanceUID": "1.2.1"},
                      {"SOPInstanceUID": "1.2.1.1", "SOPClassUID": str(CTImageStorage), "Rows": 1})  # fmt: skip
    records = dcmread(written([bare], tmp_path)).DirectoryRecordSequence
    assert [record.DirectoryRecordType for record in records] == ["PATIENT", "STUDY", "SERIES", "IMAGE"]
    assert (records[0].PatientID, records[1].StudyDate, records[2].Modality) == ("UNKNOWN", "19000101", "OT")


@pytest.mark.parametrize("value", ["not a date", "20269999999", "2026-03-12", 17, ["a", "b"], None])
def test_values_that_dicom_does_not_allow_are_left_out_or_replaced(value: Any, tmp_path: Path) -> None:
    files = [listed(1, 1)]
    odd = ListedFile(
        files[0].path, PATIENT, {**STUDY, "StudyDate": value}, files[0].series, files[0].instance
    )
    study = dcmread(written([odd], tmp_path)).DirectoryRecordSequence[1]
    assert study.StudyDate == "19000101"


def test_files_without_pictures_are_not_listed(tmp_path: Path) -> None:
    report = ListedFile(("DICOM", "S0002", "I0000001"), PATIENT, STUDY, {"SeriesInstanceUID": "1.9"}, {})
    assert len(FileSet(written([listed(1, 1), report], tmp_path))) == 1


def test_a_study_of_reports_alone_has_an_empty_directory(tmp_path: Path) -> None:
    directory = dcmread(written([], tmp_path))
    assert len(directory.DirectoryRecordSequence) == 0
    assert directory.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity == 0


def test_the_same_files_give_the_same_bytes() -> None:
    files = [listed(1, number) for number in range(1, 4)]
    assert build_dicomdir(files, key="k") == build_dicomdir(files, key="k")
    assert build_dicomdir(files, key="k") != build_dicomdir(files, key="l")


def test_offsets_point_at_items(tmp_path: Path) -> None:
    raw = build_dicomdir([listed(1, number) for number in range(1, 4)], key="k")
    for record in dcmread(BytesIO(raw)).DirectoryRecordSequence:
        for offset in (
            record.OffsetOfTheNextDirectoryRecord,
            record.OffsetOfReferencedLowerLevelDirectoryEntity,
        ):
            assert offset == 0 or raw[offset : offset + 4] == b"\xfe\xff\x00\xe0"


@pytest.mark.skipif(shutil.which("dcmdump") is None, reason="dcmtk is not on this machine")
def test_dcmtk_reads_it_without_a_warning(tmp_path: Path) -> None:
    path = written([listed(series, number) for series in (1, 2) for number in (1, 2)], tmp_path)
    told = subprocess.run(["dcmdump", path], capture_output=True, text=True, check=True)
    assert told.stderr == ""
    assert told.stdout.count("(0004,1430) CS [IMAGE]") == 4
