"""DICOM files made for tests: small, invented, each with the one thing a test is about."""

from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import UID

EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
RLE = "1.2.840.10008.1.2.5"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
TEXT_REPORT = "1.2.840.10008.5.1.4.1.1.88.11"


def make_dataset(**attributes: Any) -> Dataset:
    """An 8 x 6 secondary capture of 16 bits, with `attributes` by keyword; None removes one."""
    dataset = Dataset()
    defaults: dict[str, Any] = {
        "SOPClassUID": SECONDARY_CAPTURE,
        "SOPInstanceUID": "2.25.1",
        "StudyInstanceUID": "2.25.2",
        "SeriesInstanceUID": "2.25.3",
        "PatientName": "Grant^Maria",
        "PatientBirthDate": "19860412",
        "Modality": "OT",
        "Rows": 6,
        "Columns": 8,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "PixelData": np.arange(48, dtype="<u2").tobytes(),
    }
    for keyword, value in {**defaults, **attributes}.items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def file_bytes(dataset: Dataset, syntax: str = EXPLICIT) -> bytes:
    """The data set as a DICOM file; deflated and compressed pictures are the caller's bytes."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.file_meta.MediaStorageSOPClassUID = UID(str(dataset.get("SOPClassUID", SECONDARY_CAPTURE)))
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("2.25.1")
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def make_file(syntax: str = EXPLICIT, **attributes: Any) -> bytes:
    """`make_dataset` as a file."""
    return file_bytes(make_dataset(**attributes), syntax)


def lut(first: int, outputs: list[int], bits: int = 16) -> Sequence:
    """A modality or VOI LUT sequence."""
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(outputs), first, bits])
    item.add_new("LUTData", "US", outputs)
    return Sequence([item])


def deflated(body_tail: bytes, zeros: int) -> bytes:
    """A deflated file whose body is a small data set, `body_tail`, and then `zeros` zero bytes."""
    plain = make_file(SOPClassUID=TEXT_REPORT, PixelData=None)
    dataset = make_dataset(SOPClassUID=TEXT_REPORT, PixelData=None)
    dataset.file_meta = FileMetaDataset()
    meta = file_bytes(dataset, DEFLATED)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(plain[body_offset(plain) :] + body_tail)
    for _ in range(zeros >> 20):
        packed += packer.compress(bytes(1 << 20))
    return meta[: body_offset(meta)] + packed + packer.flush()


def body_offset(whole: bytes) -> int:
    """Where the data set begins, by the group length at 132."""
    return 144 + int.from_bytes(whole[140:144], "little")


def nested(depth: int) -> bytes:
    """A file with `depth` sequences of undefined length inside each other."""
    whole = make_file(SOPClassUID=TEXT_REPORT, PixelData=None)
    opening = b"\x11\x00\x10\x10SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closing = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    start = whole.index(b"\x20\x00\x0d\x00UI")
    return whole[:start] + opening * depth + closing * depth + whole[start:]


def rle_of(samples: np.ndarray) -> bytes:
    """One RLE frame of literal runs; `samples`: planes x pixels, uint8, most significant bytes first."""
    segments = []
    for plane in samples:
        data = plane.tobytes()
        runs = [data[at : at + 128] for at in range(0, len(data), 128)]
        packed = b"".join(bytes([len(run) - 1]) + run for run in runs)
        segments.append(packed + b"\0" * (len(packed) % 2))
    offsets = np.cumsum([64] + [len(segment) for segment in segments])[: len(segments)]
    header = np.zeros(16, "<u4")
    header[0] = len(segments)
    header[1 : 1 + len(segments)] = offsets
    return header.tobytes() + b"".join(segments)


def compressed(frames: list[bytes], syntax: str, **attributes: Any) -> bytes:
    """A file whose picture is `frames`, already compressed."""
    dataset = make_dataset(PixelData=encapsulate(frames), **attributes)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return file_bytes(dataset, syntax)
