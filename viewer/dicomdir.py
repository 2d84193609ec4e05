"""DICOMDIR, the table of contents of a download, made in memory from the tags sealed at ingest.

    preamble, "DICM", file meta │ file set id, offsets, consistency │ sequence of directory records
    record: 34 bytes of links (next, in use, lower), then what it says of a patient, study, series or image

Offsets are counted from the first byte of the file to a record's item tag; the links come first in a record and are
always as long, so each record is encoded once and linked by arithmetic. The same study gives the same bytes.

Source: DICOM PS3.10 8 and PS3.3 F.3-F.5. A file set needn't list every file in it: what isn't an image isn't listed.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise
from typing import Any, Final

from pydicom import config, dcmwrite
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MediaStorageDirectoryStorage

Tags = Mapping[str, Any]
"""Values by DICOM keyword, as `portal.records.ingest.tags` sealed them."""

IMPLEMENTATION_CLASS_UID: Final = UID("2.25.269013811953127541606839121907254360921")
FILE_SET_ID: Final = "SCANPASS"
_ITEM: Final = struct.Struct("<HHI")
_SEQUENCE: Final = struct.Struct("<HH2sHI")
_LINKS: Final = struct.Struct("<HH2sHI HH2sHH HH2sHI")
_IN_USE: Final = 0xFFFF

# What stands in for a value that a record must have and the file lacks, as dcmtk's dcmmkdir invents them.
_REQUIRED: Final[dict[str, Tags]] = {
    "PATIENT": {"PatientName": "", "PatientID": "UNKNOWN"},
    "STUDY": {
        "StudyDate": "19000101",
        "StudyTime": "000000",
        "StudyDescription": "",
        "StudyID": "1",
        "AccessionNumber": "",
    },
    "SERIES": {"Modality": "OT", "SeriesNumber": 1},
    "IMAGE": {"InstanceNumber": 1},
}
_REFERENCED: Final = {
    "SOPClassUID": "ReferencedSOPClassUIDInFile",
    "SOPInstanceUID": "ReferencedSOPInstanceUIDInFile",
    "TransferSyntaxUID": "ReferencedTransferSyntaxUIDInFile",
}


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of the set: its path in 8.3 parts, and what patient, study, series and instance it is of."""

    path: tuple[str, ...]
    patient: Tags
    study: Tags
    series: Tags
    instance: Tags

    @property
    def is_image(self) -> bool:
        """Whether it holds pixels."""
        return "Rows" in self.instance


@dataclass(slots=True)
class _Record:
    body: bytes
    lower: list[_Record] = field(default_factory=list)
    offset: int = 0

    @property
    def length(self) -> int:
        return _ITEM.size + _LINKS.size + len(self.body)


def build_dicomdir(files: Sequence[ListedFile], *, key: str) -> bytes:
    """The DICOMDIR of `files`, in their order. `key` gives it its UID: the same key, the same file.

    Files of one StudyInstanceUID or SeriesInstanceUID stand together, whatever series they were stored as.
    """
    patients = _tree(file for file in files if file.is_image)
    records = list(_walk(patients))
    position = len(_head(key, 0, 0)) + _SEQUENCE.size
    for record in records:
        record.offset = position
        position += record.length
    following = {id(one): other.offset for one, other in _neighbours(patients)}
    head = _head(key, patients[0].offset if patients else 0, patients[-1].offset if patients else 0)
    sequence = _SEQUENCE.pack(0x0004, 0x1220, b"SQ", 0, sum(record.length for record in records))
    return head + sequence + b"".join(_encoded(record, following.get(id(record), 0)) for record in records)


def _tree(files: Iterable[ListedFile]) -> list[_Record]:
    """One patient, for a study has one; below it studies, series and images as their UIDs say."""
    patient: _Record | None = None
    known: dict[str, _Record] = {}
    for file in files:
        if patient is None:
            patient = _Record(_body("PATIENT", file.patient))
        study = _below(patient, "STUDY", file.study, "StudyInstanceUID", known)
        series = _below(study, "SERIES", file.series, "SeriesInstanceUID", known)
        series.lower.append(_Record(_body("IMAGE", _image_tags(file))))
    return [patient] if patient else []


def _below(upper: _Record, kind: str, tags: Tags, uid: str, known: dict[str, _Record]) -> _Record:
    name = f"{kind} {tags.get(uid, '')}"
    if name not in known:
        known[name] = _Record(_body(kind, tags))
        upper.lower.append(known[name])
    return known[name]


def _image_tags(file: ListedFile) -> dict[str, Any]:
    tags = {_REFERENCED.get(keyword, keyword): value for keyword, value in file.instance.items()}
    return {**tags, "ReferencedFileID": list(file.path)}


def _body(kind: str, tags: Tags) -> bytes:
    """A record's elements behind its links."""
    record = Dataset()
    record.DirectoryRecordType = kind
    # UTF-8 always: a record says its own character set, and names may be in any script.
    record.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in {**_REQUIRED[kind], **tags}.items():
        element = _element(keyword, value)
        fallback = _REQUIRED[kind].get(keyword)
        if element is None and fallback is not None:
            element = _element(keyword, fallback)
        if element is not None:
            record.add(element)
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = True, False
    write_dataset(out, record)
    return bytes(out.getvalue())


def _element(keyword: str, value: Any) -> DataElement | None:
    """The element, or None where the file's own value is not what its type allows: it is left out."""
    tag = tag_for_keyword(keyword)
    if tag is None or value is None:
        return None
    try:
        return DataElement(tag, dictionary_VR(tag), value, validation_mode=config.RAISE)
    except (ValueError, TypeError, OverflowError):
        return None


def _walk(records: Iterable[_Record]) -> Iterator[_Record]:
    for record in records:
        yield record
        yield from _walk(record.lower)


def _neighbours(records: list[_Record]) -> Iterator[tuple[_Record, _Record]]:
    """Each record with the next one of its level under the same parent."""
    yield from pairwise(records)
    for record in records:
        yield from _neighbours(record.lower)


def _encoded(record: _Record, following: int) -> bytes:
    lower = record.lower[0].offset if record.lower else 0
    links = _LINKS.pack(
        *(0x0004, 0x1400, b"UL", 4, following),
        *(0x0004, 0x1410, b"US", 2, _IN_USE),
        *(0x0004, 0x1420, b"UL", 4, lower),
    )
    return _ITEM.pack(0xFFFE, 0xE000, record.length - _ITEM.size) + links + record.body


def _head(key: str, first: int, last: int) -> bytes:
    """Everything before the sequence; as long whatever the offsets are."""
    directory = Dataset()
    directory.FileSetID = FILE_SET_ID
    directory.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = first
    directory.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = last
    directory.FileSetConsistencyFlag = 0
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    meta.MediaStorageSOPInstanceUID = UID(f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, key).int}")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    meta.ImplementationVersionName = FILE_SET_ID
    directory.file_meta, directory.preamble = meta, bytes(128)
    out = BytesIO()
    dcmwrite(out, directory, enforce_file_format=True)
    return out.getvalue()
