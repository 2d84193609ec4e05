"""Studies as ingest leaves them, written with `portal.vault` alone: packs, manifest, rows and keys.

It follows the stored layout and not the ingest's code, so that reader and writer are checked against each other.
"""

from __future__ import annotations

import hashlib
import uuid
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from PIL import Image
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid

from portal.clock import now
from portal.dicom.frames import CODEC, encode_item
from portal.dicom.pyramid import LevelSize, PyramidBuilder, level_sizes
from portal.records.models import Patient, Series, Study, VaultPack
from portal.records.vault import vault
from portal.sealed.fields import blind_index
from portal.sealed.keys import Dek, create_study_key
from portal.vault import manifest
from portal.vault.context import NIL, Context
from portal.vault.encoding import canonical_json
from portal.vault.manifest import Entry
from portal.vault.packs import PackWriter

VIEWS = {"volume": ("axial", "coronal", "sagittal")}
SLOPE, INTERCEPT = 1.0, -1000.0


@dataclass
class MadeSeries:
    """A series to store. `frames` is frames x rows x columns (x 3), unsigned; empty for one without pictures.

    `originals` are the stored files; made from the frames where none are given, one file a frame.
    """

    frames: np.ndarray
    kind: str = "volume"
    title: str = "Cone-beam CT"
    originals: list[bytes] = field(default_factory=list)
    spacing_mm: list[float] | None = field(default_factory=lambda: [0.5, 0.4, 0.4])
    id: UUID = field(default_factory=uuid.uuid4)
    uid: str = field(default_factory=generate_uid)

    @property
    def samples(self) -> int:
        return 3 if self.frames.ndim == 4 else 1

    @property
    def sample_bytes(self) -> int:
        return self.frames.dtype.itemsize

    def levels(self) -> list[LevelSize]:
        count, rows, columns = self.frames.shape[:3]
        return level_sizes(self.kind, rows, columns, count, self.samples, self.sample_bytes)  # type: ignore[arg-type]


def volume(shape: tuple[int, int, int] = (12, 96, 80), *, seed: int = 1) -> np.ndarray:
    """A smooth volume with some noise, 12 bits."""
    noise = np.random.default_rng(seed).integers(0, 64, shape, np.uint16)
    ramps = [np.linspace(0, 900, size) for size in shape]
    return (noise + ramps[0][:, None, None] + ramps[1][:, None] + ramps[2]).astype(np.uint16)


def colour_picture(rows: int = 40, columns: int = 60) -> np.ndarray:
    """One colour picture, 8 bits."""
    return np.random.default_rng(2).integers(0, 256, (1, rows, columns, 3), np.uint8)


def dicom_file(pixels: np.ndarray, *, series_uid: str, study_uid: str, number: int) -> bytes:
    """A picture as a DICOM file of a patient who doesn't exist; the preamble is zeroed, as stored ones are."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, UID(f"{series_uid[:50]}.{number}")
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study_uid, series_uid
    ds.PatientName, ds.PatientID, ds.Modality = "García^María", "C-1", "CT"
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = "20260312", "093000", "7", ""
    ds.SeriesNumber, ds.InstanceNumber = 1, number
    ds.Rows, ds.Columns = pixels.shape[:2]
    ds.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    ds.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    ds.PlanarConfiguration = 0
    ds.BitsAllocated = ds.BitsStored = 8 * pixels.dtype.itemsize
    ds.HighBit, ds.PixelRepresentation = ds.BitsStored - 1, 0
    ds.PixelData = pixels.tobytes()
    ds["PixelData"].VR = "OW"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = BytesIO()
    dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


@transaction.atomic
def store_study(patient: Patient, series: Sequence[MadeSeries], *, title: str = "Cone-beam CT") -> Study:
    """Seal and show a study."""
    return _Writer(patient).store(series, title)


class _Writer:
    def __init__(self, patient: Patient) -> None:
        self.patient = patient
        self.id = uuid.uuid4()
        self.uid = generate_uid()
        self.dek: Dek = create_study_key(patient.practice_id, patient=patient.pk, study=self.id)
        self.entries: list[Entry] = []

    def store(self, series: Sequence[MadeSeries], title: str) -> Study:
        shown, others = [], []
        for one in series:
            self._originals(one)
            if len(one.frames):
                shown.append(self._view(one))
            else:
                others.append(
                    {"series": str(one.id), "instance": str(NIL), "title": one.title, "reason": NO_PICTURE}
                )
        with vault().new_pack() as pack:
            document = canonical_json({"series": shown, "others": others})
            self._finish(pack, [self._seal(pack, document, kind="document")])
        return self._rows(series, title)

    def _originals(self, one: MadeSeries) -> None:
        files = one.originals or [
            dicom_file(frame, series_uid=one.uid, study_uid=self.uid, number=index + 1)
            for index, frame in enumerate(one.frames)
        ]
        one.originals = files
        ids = [uuid.uuid4() for _ in files]
        with vault().new_pack() as pack:
            pending = [
                self._seal(
                    pack, data, kind="original", series=one.id, instance=instance,
                    extra={"crc32": zlib.crc32(data), "sha256": hashlib.sha256(data).hexdigest(), "position": index},
                )
                for index, (instance, data) in enumerate(zip(ids, files, strict=True))
            ]  # fmt: skip
            pending.append(self._seal(pack, canonical_json(self._tags(one, ids)), kind="tags", series=one.id))
            self._finish(pack, pending)

    def _tags(self, one: MadeSeries, ids: list[UUID]) -> dict[str, Any]:
        size = {"Rows": one.frames.shape[1], "Columns": one.frames.shape[2]} if len(one.frames) else {}
        instances = {
            str(instance): {
                "SOPClassUID": str(CTImageStorage),
                "SOPInstanceUID": f"{one.uid[:50]}.{index + 1}",
                "TransferSyntaxUID": str(ExplicitVRLittleEndian),
                "InstanceNumber": index + 1,
                "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
                **size,
            }
            for index, instance in enumerate(ids)
        }
        return {
            "patient": {"PatientName": "García^María", "PatientID": "C-1"},
            "study": {
                "StudyInstanceUID": self.uid,
                "StudyDate": "20260312",
                "StudyTime": "093000",
                "StudyID": "7",
            },
            "series": {"SeriesInstanceUID": one.uid, "SeriesNumber": 1, "Modality": "CT"},
            "instances": instances,
        }

    def _view(self, one: MadeSeries) -> dict[str, Any]:
        levels, sizes = one.levels(), {}
        with vault().new_pack() as pack:
            pending = []
            for level, item, payload in encoded_items(one):
                sizes[level] = sizes.get(level, 0) + len(payload)
                pending.append(
                    self._seal(pack, payload, kind="frame", series=one.id, level=level, index=item)
                )
            previews = []
            for index, view in enumerate(VIEWS.get(one.kind, ("image",))):
                webp, width, height = preview_of(one)
                pending.append(self._seal(pack, webp, kind="preview", series=one.id, index=index))
                previews.append({"view": view, "index": index, "width": width, "height": height})
            self._finish(pack, pending)
        return display_of(one, levels, sizes, previews)

    def _seal(self, pack: PackWriter, data: bytes, *, kind: str, series: UUID = NIL, instance: UUID = NIL,
              level: int = 0, index: int = 0, extra: dict[str, Any] | None = None) -> dict[str, Any]:  # fmt: skip
        context = Context(self.patient.practice_id, self.id, series, instance, kind, index, level, 1)
        extent = pack.append(data, dek=self.dek.key, dek_id=self.dek.id, context=context)
        return {
            "kind": kind, "series": series, "instance": instance, "level": level, "index": index,
            "offset": extent.offset, "sealed_length": extent.length, "sha256": extent.sha256,
            "length": len(data), "extra": extra or {},
        }  # fmt: skip

    def _finish(self, pack: PackWriter, pending: list[dict[str, Any]]) -> None:
        name = pack.commit()
        self.entries += [Entry(pack=name, **fields) for fields in pending]

    def _rows(self, series: Sequence[MadeSeries], title: str) -> Study:
        raw = manifest.encode(self.entries, {"generation": 1})
        place = Context(self.patient.practice_id, self.id, NIL, NIL, "manifest", 0, 0, 1)
        blob = vault().put(raw, dek=self.dek.key, dek_id=self.dek.id, context=place)
        study = Study(
            id=self.id, practice_id=self.patient.practice_id, patient=self.patient, study_instance_uid=self.uid,
            uid_index=blind_index(self.patient.practice_id, "study", self.uid), title=title, modalities="CT",
            manifest_blob=blob, manifest_length=len(raw), manifest_sha256=manifest.digest(raw),
            file_count=sum(len(one.originals) for one in series), length_bytes=1, created_at=now(),
        )  # fmt: skip
        study.save(force_insert=True)
        for position, one in enumerate(series):
            Series.objects.create(
                id=one.id, practice_id=study.practice_id, study=study, series_instance_uid=one.uid, title=one.title,
                modality="CT", kind=one.kind, position=position, frame_count=len(one.frames),
                file_count=len(one.originals), length_bytes=sum(map(len, one.originals)),
            )  # fmt: skip
        packs = {entry.pack for entry in self.entries} | {blob}
        VaultPack.objects.bulk_create(
            VaultPack(name=name, practice=study.practice, study=study) for name in packs
        )
        return study


NO_PICTURE = "This file has no picture. It is in the download."


def encoded_items(one: MadeSeries) -> Iterator[tuple[int, int, bytes]]:
    """(level, item, payload) of every strip of every level."""
    count, rows, columns = one.frames.shape[:3]
    builder = PyramidBuilder(one.kind, rows, columns, count, one.samples)  # type: ignore[arg-type]
    levels = one.levels()
    for frame in one.frames:
        for level, index, pixels in builder.push(frame):
            size = levels[level]
            for strip in range(size.strips):
                part = pixels[strip * size.strip_rows : (strip + 1) * size.strip_rows]
                yield level, index * size.strips + strip, encode_item(part, one.sample_bytes)


def preview_of(one: MadeSeries) -> tuple[bytes, int, int]:
    """A preview; which picture it shows is ingest's affair."""
    picture = Image.fromarray((one.frames[0] >> 4).astype(np.uint8))
    out = BytesIO()
    picture.save(out, "WEBP")
    return out.getvalue(), picture.width, picture.height


def display_of(
    one: MadeSeries, levels: list[LevelSize], sizes: dict[int, int], previews: list[dict[str, Any]]
) -> dict[str, Any]:
    """The series in the display document."""
    count, rows, columns = one.frames.shape[:3]
    is_grey = one.samples == 1
    return {
        "id": str(one.id), "title": one.title, "Modality": "CT", "kind": one.kind, "codec": CODEC,
        "Rows": rows, "Columns": columns, "NumberOfFrames": count, "SamplesPerPixel": one.samples,
        "sample_bytes": one.sample_bytes, "slope": SLOPE, "intercept": INTERCEPT if is_grey else 0.0,
        "value_range": [-1000.0, 3095.0] if is_grey else [0.0, 255.0], "unit": "HU" if is_grey else "",
        "window": {"center": 500.0, "width": 3000.0} if is_grey else {"center": 127.5, "width": 255.0},
        "spacing_mm": one.spacing_mm, "spacing_calibrated": True,
        "directions": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] if is_grey else None,
        "levels": [
            {
                "level": size.level, "Frames": size.frames, "Rows": size.rows, "Columns": size.columns,
                "StripRows": size.strip_rows, "Strips": size.strips, "bytes": sizes[size.level],
                "spacing_mm": one.spacing_mm,
            }
            for size in levels
        ],
        "previews": previews, "slices": {"count": count}, "notices": [],
    }  # fmt: skip
