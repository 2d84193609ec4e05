"""A cone-beam CT as one multi-frame file of any length, written frame by frame: an Enhanced CT from head to foot."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, EnhancedCTImageStorage, ExplicitVRLittleEndian

SIDE = 512
PATTERNS = 8


def write_one_file(path: Path, frames: int, *, side: int = SIDE) -> Path:
    """Write `frames` square frames of 16 bit, 0.3 mm apart, the highest first."""
    random = np.random.default_rng(frames)
    patterns = [
        random.integers(0, 64, (side, side), np.uint16) + np.arange(side, dtype="<u2")
        for _ in range(PATTERNS)
    ]
    head = io.BytesIO()
    _dataset(frames, side).save_as(head, enforce_file_format=True)
    with path.open("wb") as file:
        file.write(head.getvalue())
        file.write(struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OW", 0, frames * side * side * 2))
        for index in range(frames):
            file.write((patterns[index % PATTERNS] + np.uint16(index % 1000)).astype("<u2").tobytes())
    return path


def _dataset(frames: int, side: int) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(f"2.25.{frames}1")
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"2.25.{frames}2", f"2.25.{frames}3"
    dataset.PatientName, dataset.PatientBirthDate, dataset.Modality = "Garcia^Maria", "19860412", "CT"
    dataset.Rows = dataset.Columns = side
    dataset.NumberOfFrames, dataset.SamplesPerPixel = frames, 1
    dataset.PhotometricInterpretation, dataset.PixelRepresentation = "MONOCHROME2", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.SharedFunctionalGroupsSequence = [_shared()]
    dataset.PerFrameFunctionalGroupsSequence = [_frame((frames - index) * 0.3) for index in range(frames)]
    return dataset


def _shared() -> Dataset:
    measures, orientation, rescale = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.3, 0.3], 0.3
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    rescale.RescaleIntercept, rescale.RescaleSlope, rescale.RescaleType = -1000, 1, "HU"
    groups = Dataset()
    groups.PixelMeasuresSequence, groups.PlaneOrientationSequence = [measures], [orientation]
    groups.PixelValueTransformationSequence = [rescale]
    return groups


def _frame(height_mm: float) -> Dataset:
    position, groups = Dataset(), Dataset()
    position.ImagePositionPatient = [-76.8, -76.8, round(height_mm, 1)]
    groups.PlanePositionSequence = [position]
    return groups
