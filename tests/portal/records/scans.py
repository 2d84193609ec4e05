"""Small DICOM files made on the spot, uploads of them, and a reader of what an ingest has stored."""

from __future__ import annotations

import io
import itertools
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from portal.audit.actor import system
from portal.jobs.models import Job
from portal.jobs.run import run
from portal.records.local_files import upload_path
from portal.records.manifests import object_context, open_manifest
from portal.records.models import Patient, Study, Upload
from portal.records.receive import announce, receive
from portal.records.uploads import finish_upload, start_upload
from portal.records.vault import vault
from portal.sealed.keys import study_key
from portal.vault.manifest import Entry
from portal.vault.stream import open_bytes

CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Scan:
    """What the files of one small CT have in common."""

    name: str = "Garcia^Maria"
    birthdate: str = "19860412"
    study_uid: str = ""
    series_uid: str = ""
    modality: str = "CT"


def dicom(
    scan: Scan = Scan(),
    *,
    number: int = 1,
    uid: str = "",
    size: int = 24,
    seed: int = 0,
    without: tuple[str, ...] = (),
    **tags: Any,
) -> bytes:
    """One slice of `size` squared noise, at z = `number` mm."""
    dataset = Dataset()
    dataset.PatientName, dataset.PatientBirthDate, dataset.PatientID = scan.name, scan.birthdate, "P1"
    dataset.StudyInstanceUID = scan.study_uid or f"1.2.826.0.1.{next(_numbers)}"
    dataset.SeriesInstanceUID = scan.series_uid or f"{dataset.StudyInstanceUID}.1"
    dataset.SOPInstanceUID = uid or str(generate_uid())
    dataset.SOPClassUID = CT_CLASS
    dataset.Modality, dataset.InstanceNumber, dataset.StudyDate = scan.modality, number, "20260312"
    dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [0, 0, number], [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing, dataset.SliceThickness = [1, 1], 1
    dataset.Rows = dataset.Columns = size
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1000
    noise = np.random.default_rng(seed + number).integers(0, 3000, (size, size), np.uint16)
    dataset.PixelData = noise.tobytes()
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    for keyword in without:
        delattr(dataset, keyword)
    return _written(dataset)


def _written(dataset: Dataset) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = (
        dataset.SOPClassUID,
        dataset.SOPInstanceUID,
    )
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def series(scan: Scan, slices: int, **more: Any) -> dict[str, bytes]:
    """A folder of slices."""
    return {f"IM{number:03}": dicom(scan, number=number, **more) for number in range(1, slices + 1)}


def zipped(files: dict[str, bytes]) -> bytes:
    """The files in a ZIP."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def sent(patient: Patient, files: dict[str, bytes]) -> Upload:
    """An upload of these files, waiting for its ingest."""
    actor = system(patient.practice_id)
    upload = start_upload(patient, actor=actor)
    for name, data in files.items():
        file = announce(upload, name=name, length=len(data))
        receive(file, io.BytesIO(data).read, offset=0, announced=len(data))
    return finish_upload(upload, actor=actor)


def ingested(upload: Upload) -> Upload:
    """The upload after its job ran, which must have succeeded."""
    job = Job.objects.get(kind="ingest", subject_id=upload.pk)
    run(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.DONE, job.failure
    upload.refresh_from_db()
    return upload


def taken(patient: Patient, files: dict[str, bytes]) -> Upload:
    """Sent and ingested."""
    return ingested(sent(patient, files))


def taken_path(patient: Patient, path: Path) -> Upload:
    """A file or folder of this machine, sent and ingested."""
    return ingested(upload_path(patient, path, actor=system(patient.practice_id)))


class Stored:
    """Reads back what is stored of a study, through the rows as the viewer does."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.manifest = open_manifest(study)

    def read(self, entry: Entry) -> bytes:
        """The plain bytes of an object, everything verified."""
        dek = study_key(self.study.practice_id, self.study.pk, self.study.generation)
        place = {
            "series": entry.series,
            "instance": entry.instance,
            "index": entry.index,
            "level": entry.level,
        }
        context = object_context(
            self.study.practice_id,
            self.study.pk,
            self.study.generation,
            entry.kind,
            **place,  # type: ignore[arg-type]
        )
        sealed = vault().open_pack(entry.pack).view(entry.extent)
        return open_bytes(sealed, dek=dek.key, dek_id=dek.id, context=context, length=entry.length)

    def originals(self) -> list[bytes]:
        """Every original, in stored order."""
        entries = sorted(
            self.manifest.select(kind="original"), key=lambda entry: (entry.series, entry.extra["position"])
        )
        return [self.read(entry) for entry in entries]
