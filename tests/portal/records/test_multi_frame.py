"""A cone-beam CT as one multi-frame file: arranged, scaled and worded as its slices are when each is a file."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, EnhancedCTImageStorage, ExplicitVRLittleEndian

from portal.accounts.models import User
from portal.dicom.frames import decode_item
from portal.dicom.geometry import SENTENCES, arrange
from portal.dicom.sandbox import Sandbox
from portal.jobs.models import Job
from portal.jobs.run import run
from portal.practice.models import Practice
from portal.records.ingest.survey import UNREADABLE
from portal.records.models import Patient, Study
from portal.records.quarantine import accept
from portal.vault.context import NIL
from tests.cast import actor_of, make_patient
from tests.portal.records.scans import Scan, Stored, dicom, taken

SCAN = Scan(study_uid="1.2.3.700", series_uid="1.2.3.700.1")
SIDE, COUNT = 24, 8
AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
TURNED = [0.999, 0.0447, 0.0, -0.0447, 0.999, 0.0]


@pytest.fixture
def maria(smile: Practice) -> Patient:
    return make_patient(smile)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox() as reader:
        yield reader


class Frame:
    """One frame or slice: where it lies, its scale, and its stored samples."""

    def __init__(self, index: int) -> None:
        self.position: list[float] | None = [-5.0, -6.0, 7.0 + 0.5 * index]
        self.orientation = AXIAL
        self.spacing = [0.4, 0.3]
        self.slope, self.intercept = 1.0, -1000.0
        self.samples = np.random.default_rng(index).integers(0, 3000, (SIDE, SIDE), np.uint16)

    @property
    def hu(self) -> np.ndarray:
        """What it shows."""
        return self.samples * self.slope + self.intercept


def frames(count: int = COUNT) -> list[Frame]:
    return [Frame(index) for index in range(count)]


def one_file(some: list[Frame], *, groups: int | None = None, **tags: Any) -> bytes:
    """An Enhanced CT of these frames."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.700.1.1")
    dataset.PatientName, dataset.PatientBirthDate = SCAN.name, SCAN.birthdate
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.Modality = (
        SCAN.study_uid,
        SCAN.series_uid,
        "CT",
    )
    dataset.Rows = dataset.Columns = some[0].samples.shape[0]
    dataset.NumberOfFrames, dataset.SamplesPerPixel = len(some), 1
    dataset.PhotometricInterpretation, dataset.PixelRepresentation = "MONOCHROME2", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    if groups != 0:
        dataset.PerFrameFunctionalGroupsSequence = [_groups(frame) for frame in some[:groups]]
    dataset.PixelData = b"".join(frame.samples.astype("<u2").tobytes() for frame in some)
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _groups(frame: Frame) -> Dataset:
    groups = Dataset()
    groups.PlaneOrientationSequence = [_item(ImageOrientationPatient=frame.orientation)]
    groups.PixelMeasuresSequence = [_item(PixelSpacing=frame.spacing, SliceThickness=0.5)]
    scale = {"RescaleSlope": frame.slope, "RescaleIntercept": frame.intercept, "RescaleType": "HU"}
    groups.PixelValueTransformationSequence = [_item(**scale)]
    if frame.position is not None:
        groups.PlanePositionSequence = [_item(ImagePositionPatient=frame.position)]
    return groups


def _item(**tags: Any) -> Dataset:
    item = Dataset()
    for keyword, value in tags.items():
        setattr(item, keyword, value)
    return item


def slices(some: list[Frame]) -> dict[str, bytes]:
    """The same frames as a file each."""
    return {
        f"IM{number:03}": dicom(
            SCAN,
            number=number,
            without=() if frame.position else ("ImagePositionPatient",),
            **{} if frame.position is None else {"ImagePositionPatient": frame.position},
            ImageOrientationPatient=frame.orientation,
            PixelSpacing=frame.spacing,
            SliceThickness=0.5,
            RescaleSlope=frame.slope,
            RescaleIntercept=frame.intercept,
            PixelData=frame.samples.astype("<u2").tobytes(),
        )
        for number, frame in enumerate(some, start=1)
    }


def document_of(study: Study) -> dict[str, Any]:
    stored = Stored(study)
    found: dict[str, Any] = json.loads(stored.read(stored.manifest.find(NIL, "document")))
    return found


def shown(patient: Patient, files: dict[str, bytes]) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The one series of an upload in the viewer's words, and its frames as shown values."""
    study = taken(patient, files).studies.get()
    row, stored = study.series.get(), Stored(study)
    (series,) = document_of(study)["series"]
    values = []
    for index in range(series["NumberOfFrames"]):
        item = stored.read(stored.manifest.find(row.pk, "frame", level=0, index=index))
        samples = decode_item(item, series["Rows"], series["Columns"], 1, series["sample_bytes"])
        values.append(samples * series["slope"] + series["intercept"])
    return series, values


def faulty(fault: str) -> list[Frame]:
    some = frames()
    middle = some[3]
    match fault:
        case "uneven":
            middle.position = [-5.0, -6.0, 7.0 + 0.5 * 3.2]
        case "duplicate":
            middle.position = some[4].position
        case "unplaced":
            middle.position = None
        case "sizes":
            middle.spacing = [0.4, 0.31]
        case "turned":
            middle.orientation = TURNED
        case "tilted":
            for index, frame in enumerate(some):
                frame.position = [-5.0, -6.0 + 0.2 * index, 7.0 + 0.5 * index]
    return [some[index] for index in ORDERS.get(fault, range(COUNT))]


ORDERS = {
    "shuffled": [5, 0, 7, 2, 1, 6, 3, 4],
    "from head to foot": range(COUNT - 1, -1, -1),
    "missing": [0, 1, 2, 5, 6, 7],
}


GEOMETRY = (
    "kind",
    "spacing_mm",
    "spacing_calibrated",
    "directions",
    "position_mm",
    "notices",
    "value_range",
    "unit",
)


@pytest.mark.parametrize("fault", ["none", *ORDERS, *sorted(set(SENTENCES) - set(ORDERS))])
def test_v5_frames_lie_where_slices_lie_that_are_files(box: Sandbox, fault: str) -> None:
    some = faulty(fault)
    mine = box.read_header(one_file(some)).planes
    assert mine == tuple(box.read_header(file).planes[0] for file in slices(some).values())
    arranged = arrange(mine)
    assert arranged.kind == ("stack" if fault in SENTENCES else "volume")
    assert fault not in SENTENCES or SENTENCES[fault] in arranged.notices


@pytest.mark.parametrize("fault", ["shuffled", "missing"])
def test_v5_one_file_is_shown_as_its_slices_are(smile: Practice, fault: str) -> None:
    some = faulty(fault)
    theirs, their_values = shown(make_patient(smile), slices(some))
    mine, my_values = shown(make_patient(smile), {"scan": one_file(some, SOPInstanceUID="1.9")})
    assert {name: mine[name] for name in GEOMETRY} == {name: theirs[name] for name in GEOMETRY}
    assert np.array_equal(my_values, their_values)
    if fault == "shuffled":
        assert np.array_equal(my_values, [frame.hu for frame in frames()])


def test_v5_a_frame_that_is_turned_keeps_the_file_from_being_a_volume(maria: Patient) -> None:
    """Slices that are turned become series of their own; the frames of one file stay together."""
    series, values = shown(maria, {"scan": one_file(faulty("turned"))})
    assert (series["kind"], len(values)) == ("stack", COUNT)
    assert SENTENCES["turned"] in series["notices"]


@pytest.mark.parametrize("groups", [0, COUNT - 1])
def test_v5_frames_nobody_places_are_shown_one_by_one(maria: Patient, groups: int) -> None:
    """A file that speaks of the whole only, or of fewer frames than it has, places none of them."""
    whole = {"ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": AXIAL, "PixelSpacing": [0.3, 0.3]}
    series, values = shown(maria, {"scan": one_file(frames(), groups=groups, **whole)})
    assert (series["kind"], series["position_mm"], len(values)) == ("stack", None, COUNT)
    assert SENTENCES["unplaced"] in series["notices"]
    assert all(
        np.array_equal(value - value.min(), frame.samples - frame.samples.min())
        for value, frame in zip(values, frames(), strict=True)
    )


@pytest.mark.parametrize("count", [20])
def test_every_frame_has_its_own_rescale(maria: Patient, count: int) -> None:
    """More of them than the reader keeps at a time, and out of order."""
    some = frames(count)
    for index, frame in enumerate(some):
        frame.slope = 1.0 + index % 12
    series, values = shown(maria, {"scan": one_file(some[::-1])})
    assert (series["kind"], series["slope"]) == ("volume", 1.0)
    assert np.array_equal(values, [frame.hu for frame in some])
    everything = np.array([frame.hu for frame in some])
    assert series["value_range"] == [everything.min(), everything.max()]


def test_a_file_that_gives_fewer_frames_than_it_should_is_kept_and_not_shown(
    maria: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, decode = one_file(frames()), Sandbox.decode
    monkeypatch.setattr(
        Sandbox, "decode", lambda box, data, **how: itertools.islice(decode(box, data, **how), COUNT - 1)
    )
    study = taken(maria, {"scan": file}).studies.get()
    assert Stored(study).originals() == [file]
    assert [other["reason"] for other in document_of(study)["others"]] == [UNREADABLE]


@pytest.mark.parametrize("counted", [COUNT - 2, COUNT + 1])
def test_a_wrong_number_of_frames_shows_those_there_are_or_is_refused(maria: Patient, counted: int) -> None:
    file = one_file(frames(), NumberOfFrames=counted)
    upload = taken(maria, {"scan": file})
    if counted > COUNT:
        assert upload.refused.get().code == "truncated"
        return
    (series,) = document_of(upload.studies.get())["series"]
    assert (series["kind"], series["NumberOfFrames"]) == ("stack", counted)
    assert Stored(upload.studies.get()).originals() == [file]


# Files that are not held in memory


@pytest.fixture
def small_window(monkeypatch: pytest.MonkeyPatch) -> int:
    """Half a megabyte counts as large."""
    window = 1 << 19
    for user in ("portal.records.ingest.sources", "portal.dicom.archives", "portal.dicom.child_process"):
        monkeypatch.setattr(f"{user}.WINDOW_BYTES", window)
    return window


def large_frames(window: int) -> list[Frame]:
    """Frames that are larger than the window together."""
    some = frames(window // (128 * 128 * 2) + 3)
    for index, frame in enumerate(some):
        frame.samples = np.full((128, 128), index * 11, np.uint16) + np.arange(128, dtype=np.uint16)
    return some


@pytest.mark.parametrize("way", ["as it is", "in a ZIP"])
def test_a_large_file_is_stored_byte_for_byte_and_shown(maria: Patient, small_window: int, way: str) -> None:
    some = large_frames(small_window)
    data = b"MZ" + bytes(126) + one_file(some[::-1])[128:]
    files = {"scan": data} if way == "as it is" else {"scan.zip": zip_of(data, is_stored=False)}
    study = taken(maria, files).studies.get()
    stored, row = Stored(study), study.series.get()
    (original,) = stored.manifest.select(kind="original")
    kept = bytes(128) + data[128:]
    assert stored.read(original) == kept
    assert original.extra["received_sha256"] == hashlib.sha256(data).hexdigest()
    assert original.extra["sha256"] == hashlib.sha256(kept).hexdigest()
    assert original.extra["crc32"] == zlib.crc32(kept)
    (series,) = document_of(study)["series"]
    assert (series["kind"], series["NumberOfFrames"]) == ("volume", len(some))
    for index in (0, 1, len(some) - 1):
        item = stored.read(stored.manifest.find(row.pk, "frame", level=0, index=index))
        values = decode_item(item, 128, 128, 1, series["sample_bytes"]) * series["slope"]
        assert np.array_equal(values + series["intercept"], some[index].hu)


def zip_of(data: bytes, *, is_stored: bool) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED if is_stored else zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("scan.dcm", data, compresslevel=1)
    return buffer.getvalue()


def test_a_large_file_that_was_held_comes_onto_the_chart_as_it_was(
    maria: Patient, clara: User, small_window: int
) -> None:
    data = one_file(large_frames(small_window), PatientName="Lopez^Maria")
    group = taken(maria, {"scan": data}).quarantined.get()
    accept(group, reason="Maiden name", actor=actor_of(clara))
    run(Job.objects.get(kind="accept", subject_id=group.pk).pk)
    study = Study.objects.get(patient=maria)
    assert Stored(study).originals() == [data]
    assert study.series.get().kind == "volume"


@pytest.mark.usefixtures("small_window")
@pytest.mark.parametrize("is_stored", [True, False])
def test_a_large_member_that_was_changed_refuses_its_zip(maria: Patient, is_stored: bool) -> None:
    archive = bytearray(zip_of(one_file(large_frames(1 << 19)), is_stored=is_stored))
    archive[len(archive) // 2] ^= 1
    assert taken(maria, {"scan.zip": bytes(archive)}).refused.get().code == "zip-damaged"
