"""What a DICOM file says of itself: patient, study, series, instance, picture and where its planes lie.

Attribute names are the DICOM keywords in snake case. Text is kept as written, decoded by its character set;
markup in it is data. Values come from the confined child as JSON and are checked on arrival.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Vector = tuple[float, float, float]

DIRECTORY_CLASS: Final = "1.2.840.10008.1.3.10"


@dataclass(frozen=True)
class Plane:
    """Where one frame lies in the patient (LPS, mm); None where the file doesn't say.

    `row_direction` is the direction of growing column index, `column_direction` of growing row index.
    `spacing_mm` is (between rows, between columns); `is_calibrated` is false if it was measured at the detector.

    Source: DICOM PS3.3 C.7.6.2.1.1, C.7.6.16.2, 10.7.1.3.
    """

    position_mm: Vector | None = None
    row_direction: Vector | None = None
    column_direction: Vector | None = None
    spacing_mm: tuple[float, float] | None = None
    is_calibrated: bool = False
    thickness_mm: float | None = None


@dataclass(frozen=True)
class Header:
    """One file's header. Absent text is "", absent numbers are None; `planes` has one entry a frame.

    `teeth` are those an X-ray is coded for (ISO 3950).
    """

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    transfer_syntax_uid: str

    patient_id: str
    patient_name: str
    patient_birth_date: str
    patient_sex: str

    study_date: str
    study_time: str
    study_description: str
    study_id: str
    accession_number: str
    referring_physician_name: str

    modality: str
    series_number: int | None
    series_description: str
    laterality: str
    body_part_examined: str
    manufacturer: str
    manufacturer_model_name: str
    frame_of_reference_uid: str

    instance_number: int | None
    image_type: tuple[str, ...]
    acquisition_date: str
    acquisition_time: str
    content_date: str
    image_laterality: str
    view_position: str
    document_title: str
    burned_in_annotation: str
    teeth: tuple[int, ...]

    rows: int
    columns: int
    number_of_frames: int
    samples_per_pixel: int
    bits_allocated: int
    bits_stored: int
    pixel_representation: int
    photometric_interpretation: str
    presentation_lut_shape: str
    rescale_slope: float | None
    rescale_intercept: float | None
    window_center: float | None
    window_width: float | None
    voi_lut_function: str
    has_modality_lut: bool
    has_voi_lut: bool
    has_palette: bool
    planes: tuple[Plane, ...]

    displayable: bool
    not_displayable_reason: str

    @property
    def is_directory(self) -> bool:
        """Whether this is the table of contents of a disc (DICOMDIR), which no study keeps."""
        return self.sop_class_uid == DIRECTORY_CLASS
