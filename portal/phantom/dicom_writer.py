"""Writes the phantom's images as DICOM: CT slices, a panoramic, an intra-oral X-ray.

Everything that could vary (UIDs, dates, encodings of decimals) is derived from the arguments, so that
the same arguments give the same bytes. Only writes; nothing here reads DICOM.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    CTImageStorage,
    DigitalIntraOralXRayImageStorageForPresentation,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
)

from portal.phantom.people import InventedPatient
from portal.phantom.volume import Grid

IMPLEMENTATION_CLASS_UID = "2.25.183741095022861337018213563211906733911"
IMPLEMENTATION_VERSION = "SCANPASS_DEMO_1"
CT_BITS, CT_INTERCEPT = 12, -1000
BONE_WINDOW = ("700", "3600")


@dataclass(frozen=True)
class Visit:
    """The occasion all images of a study belong to. `key` makes its UIDs its own."""

    patient: InventedPatient
    taken_on: date
    key: str

    def uid(self, *parts: object) -> str:
        """A UID that depends on its arguments alone. Source: DICOM PS3.5 B.2 (2.25 and a UUID)."""
        text = ":".join(map(str, ("scanpass-demo", self.key, *parts)))
        return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, text).int}"


def decimal(value: float) -> str:
    """A DICOM decimal string: at most 16 characters, never "-0". Source: DICOM PS3.5 6.2."""
    text = f"{value:.10g}"
    return "0" if text == "-0" else text


def code(value: str, meaning: str) -> Sequence:
    """A coded entry from SNOMED CT, as a sequence of one."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return Sequence([item])


def write_slice(folder: Path, visit: Visit, grid: Grid, index: int, hu: NDArray[np.int16]) -> Path:
    """One axial section as a CT image: 12 bits, HU from the stored value by slope 1, intercept -1000."""
    ds = _common(visit, "CT", f"CBCT {decimal(grid.voxel_mm)} mm", 1, grid)
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, visit.uid("ct", grid, index)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.KVP, ds.XRayTubeCurrent, ds.ExposureTime, ds.Exposure = "90", 8, 9000, 72
    ds.PatientPosition, ds.PositionReferenceIndicator = "HFS", ""
    ds.AcquisitionNumber, ds.InstanceNumber = 1, index + 1
    _place(ds, visit, grid, index)
    stored = np.clip(hu.astype(np.int32) - CT_INTERCEPT, 0, (1 << CT_BITS) - 1)
    _pixels(ds, stored.astype("<u2"))
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = str(CT_INTERCEPT), "1", "HU"
    ds.WindowCenter, ds.WindowWidth = BONE_WINDOW
    return _write(ds, folder / f"CT{index + 1:04d}.dcm")


def _place(ds: Dataset, visit: Visit, grid: Grid, index: int) -> None:
    """Where the slice lies. Rows run to the back, columns to the left, slices to the head."""
    x, y, z = grid.origin
    height = decimal(z + index * grid.voxel_mm)
    ds.FrameOfReferenceUID = visit.uid("frame of reference")
    ds.ImagePositionPatient = [decimal(x), decimal(y), height]
    ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    ds.PixelSpacing = [decimal(grid.voxel_mm)] * 2
    ds.SliceThickness, ds.SliceLocation = decimal(grid.voxel_mm), height


@dataclass(frozen=True)
class Projection:
    """A finished 2D X-ray: grey values, pixel size at the detector in mm, and what it shows.

    `orientation` is where rows and columns run (PatientOrientation); `laterality` is R, L or B.
    """

    grey: NDArray[np.uint16]
    pixel_mm: float
    description: str
    orientation: tuple[str, str]
    laterality: str
    is_calibrated: bool = False


def write_panoramic(folder: Path, visit: Visit, image: Projection) -> Path:
    """A panoramic X-ray (modality PX)."""
    ds = _x_ray(visit, "PX", 2, image)
    ds.SOPClassUID = DigitalXRayImageStorageForPresentation
    return _write(ds, folder / "PX0001.dcm")


def write_intraoral(folder: Path, visit: Visit, image: Projection) -> Path:
    """An intra-oral X-ray (modality IO)."""
    ds = _x_ray(visit, "IO", 3, image)
    ds.SOPClassUID = DigitalIntraOralXRayImageStorageForPresentation
    ds.PrimaryAnatomicStructureSequence = code("38199008", "Tooth")
    return _write(ds, folder / "IO0001.dcm")


def _x_ray(visit: Visit, modality: str, series_number: int, image: Projection) -> Dataset:
    ds = _common(visit, modality, image.description, series_number, image.grey.shape)
    ds.SOPInstanceUID = visit.uid(modality, image.grey.shape, image.is_calibrated)
    ds.ImageType, ds.PresentationIntentType = ["DERIVED", "PRIMARY"], "FOR PRESENTATION"
    ds.DerivationDescription = "Computed from a synthetic volume"
    ds.KVP, ds.InstanceNumber, ds.AcquisitionNumber = "70", 1, 1
    ds.PatientOrientation, ds.ImageLaterality = list(image.orientation), image.laterality
    _calibrate(ds, image)
    ds.PositionerType, ds.DetectorType = "NONE", "DIRECT"
    ds.PixelIntensityRelationship, ds.PixelIntensityRelationshipSign = "LOG", -1
    ds.LossyImageCompression, ds.PresentationLUTShape = "00", "IDENTITY"
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "US"
    ds.WindowCenter, ds.WindowWidth = "2048", "4096"
    ds.AnatomicRegionSequence = code("661005", "Jaw region")
    ds.AcquisitionContextSequence = Sequence([])
    _pixels(ds, image.grey.astype("<u2"))
    return ds


def _calibrate(ds: Dataset, image: Projection) -> None:
    """Pixel size at the detector always; in the patient only if calibrated (DICOM PS3.3 10.7.1.1)."""
    spacing = [decimal(image.pixel_mm)] * 2
    ds.ImagerPixelSpacing = spacing
    if image.is_calibrated:
        ds.PixelSpacing, ds.PixelSpacingCalibrationType = spacing, "FIDUCIAL"
        ds.PixelSpacingCalibrationDescription = "Computed, no magnification"


def _common(visit: Visit, modality: str, description: str, series_number: int, shape: object) -> Dataset:
    """Patient, study, series and equipment."""
    ds, patient = Dataset(), visit.patient
    ds.SpecificCharacterSet = "ISO_IR 192"
    day = visit.taken_on.strftime("%Y%m%d")
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = day
    ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = "093000"
    ds.AccessionNumber, ds.Modality = "", modality
    ds.Manufacturer, ds.ManufacturerModelName = "Scanpass demo", "Phantom"
    ds.DeviceSerialNumber, ds.SoftwareVersions = "0", IMPLEMENTATION_VERSION
    ds.ReferringPhysicianName = ""
    ds.StudyDescription, ds.SeriesDescription = "Dental examination (synthetic)", f"{description} (synthetic)"
    ds.PatientName, ds.PatientID = patient.dicom_name, patient.chart_number
    ds.PatientBirthDate, ds.PatientSex = patient.birthdate.strftime("%Y%m%d"), patient.sex
    ds.PatientComments = "Invented patient. Synthetic image, not fit for diagnosis."
    ds.StudyInstanceUID = visit.uid("study")
    ds.SeriesInstanceUID = visit.uid("series", modality, shape)
    ds.StudyID, ds.SeriesNumber, ds.BodyPartExamined = "1", series_number, "JAW"
    ds.BurnedInAnnotation = "NO"
    return ds


def _pixels(ds: Dataset, stored: NDArray[np.uint16]) -> None:
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = stored.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, CT_BITS, CT_BITS - 1, 0
    ds.PixelData = stored.tobytes()
    ds["PixelData"].VR = "OW"


def _write(ds: Dataset, path: Path) -> Path:
    """A throw-away input for the demo: no fsync, for it can be made again at any time."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION
    ds.file_meta, ds.preamble = meta, b"\0" * 128
    dcmwrite(path, ds, enforce_file_format=True)
    return path
