"""From bytes to a `Header`. Runs in the confined child.

Source: DICOM PS3.3 annex C for the modules, C.7.6.3 for the picture's description.
"""

from __future__ import annotations

from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import UID

from portal.dicom.acceptance import PixelLayout, check_present, check_size
from portal.dicom.elements import (
    FLOAT_PIXELS,
    PixelElement,
    integer,
    items,
    number,
    read_elements,
    text,
    texts,
)
from portal.dicom.fragments import Fragments
from portal.dicom.headers import DIRECTORY_CLASS, Header, Plane
from portal.dicom.part10 import Body, Bytes, open_body
from portal.dicom.planes import groups_of, in_groups, planes_of
from portal.dicom.tooth_chart import teeth_of
from portal.dicom.verdicts import refused

SEGMENTATION: Final = "1.2.840.10008.5.1.4.1.1.66"
MONOCHROME: Final = ("MONOCHROME1", "MONOCHROME2")
COLOURS: Final = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
PALETTE: Final = "PALETTE COLOR"


def read_header(data: Bytes) -> Header:
    """The header of one file; raises `IngestRefused` with a verdict, or whatever pydicom fails with."""
    body = open_body(data)
    dataset, pixels = read_elements(body)
    uids = (
        text(dataset, "SOPClassUID") or body.meta_sop_class_uid,
        text(dataset, "SOPInstanceUID") or body.meta_sop_instance_uid,
    )
    if not uids[1] and uids[0] != DIRECTORY_CLASS:
        raise refused("no-uid")
    if pixels is None:
        _check_needs_no_picture(uids[0])
    layout = layout_of(dataset)
    if pixels is not None and pixels.tag not in FLOAT_PIXELS:
        check_size(layout)
        check_present(layout, body.syntax.family, _present_bytes(body, pixels))
    reason = _why_not_displayable(body, pixels, layout, uids[0])
    planes = planes_of(dataset, layout.frames) if pixels is not None else ()
    return _header(dataset, uids, body.syntax.uid, layout, planes, reason)


def _header(
    dataset: Dataset,
    uids: tuple[str, str],
    syntax_uid: str,
    layout: PixelLayout,
    planes: tuple[Plane, ...],
    reason: str,
) -> Header:
    """The record, field by field: long because a header is."""
    voi = _voi(dataset)
    return Header(
        sop_class_uid=uids[0],
        sop_instance_uid=uids[1],
        study_instance_uid=text(dataset, "StudyInstanceUID"),
        series_instance_uid=text(dataset, "SeriesInstanceUID"),
        transfer_syntax_uid=syntax_uid,
        patient_id=text(dataset, "PatientID"),
        patient_name=text(dataset, "PatientName"),
        patient_birth_date=text(dataset, "PatientBirthDate"),
        patient_sex=text(dataset, "PatientSex"),
        study_date=text(dataset, "StudyDate"),
        study_time=text(dataset, "StudyTime"),
        study_description=text(dataset, "StudyDescription"),
        study_id=text(dataset, "StudyID"),
        accession_number=text(dataset, "AccessionNumber"),
        referring_physician_name=text(dataset, "ReferringPhysicianName"),
        modality=text(dataset, "Modality"),
        series_number=integer(dataset, "SeriesNumber"),
        series_description=text(dataset, "SeriesDescription"),
        laterality=text(dataset, "Laterality"),
        body_part_examined=text(dataset, "BodyPartExamined"),
        manufacturer=text(dataset, "Manufacturer"),
        manufacturer_model_name=text(dataset, "ManufacturerModelName"),
        frame_of_reference_uid=text(dataset, "FrameOfReferenceUID"),
        instance_number=integer(dataset, "InstanceNumber"),
        image_type=tuple(texts(dataset, "ImageType")),
        acquisition_date=text(dataset, "AcquisitionDate"),
        acquisition_time=text(dataset, "AcquisitionTime"),
        content_date=text(dataset, "ContentDate"),
        image_laterality=text(dataset, "ImageLaterality"),
        view_position=text(dataset, "ViewPosition"),
        document_title=text(dataset, "DocumentTitle"),
        burned_in_annotation=text(dataset, "BurnedInAnnotation"),
        teeth=teeth_of(dataset),
        rows=layout.rows,
        columns=layout.columns,
        number_of_frames=layout.frames,
        samples_per_pixel=layout.samples,
        bits_allocated=layout.bits_allocated,
        bits_stored=layout.bits_stored,
        pixel_representation=int(layout.is_signed),
        photometric_interpretation=layout.photometric_interpretation,
        presentation_lut_shape=text(dataset, "PresentationLUTShape"),
        rescale_slope=number(dataset, "RescaleSlope"),
        rescale_intercept=number(dataset, "RescaleIntercept"),
        window_center=number(voi, "WindowCenter"),
        window_width=number(voi, "WindowWidth"),
        voi_lut_function=text(voi, "VOILUTFunction"),
        has_modality_lut=bool(items(dataset, "ModalityLUTSequence")),
        has_voi_lut=bool(items(voi, "VOILUTSequence")),
        has_palette="RedPaletteColorLookupTableDescriptor" in dataset,
        planes=planes,
        displayable=not reason,
        not_displayable_reason=reason,
    )


def layout_of(dataset: Dataset) -> PixelLayout:
    """What the file states about its picture; absent numbers are 0, absent bits follow the allocated ones."""
    allocated = integer(dataset, "BitsAllocated") or 0
    stored = integer(dataset, "BitsStored") or allocated
    high_bit = integer(dataset, "HighBit")
    return PixelLayout(
        rows=integer(dataset, "Rows") or 0,
        columns=integer(dataset, "Columns") or 0,
        frames=_frames(dataset),
        samples=integer(dataset, "SamplesPerPixel") or 1,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=stored - 1 if high_bit is None else high_bit,
        is_signed=integer(dataset, "PixelRepresentation") == 1,
        photometric_interpretation=text(dataset, "PhotometricInterpretation"),
        planar_configuration=integer(dataset, "PlanarConfiguration") or 0,
    )


def _frames(dataset: Dataset) -> int:
    """An empty or unreadable number of frames means one, as in objects that know none (C.7.6.6)."""
    frames = integer(dataset, "NumberOfFrames")
    return 1 if frames is None or frames == 0 else frames


def _voi(dataset: Dataset) -> Dataset:
    """Where the window is told: the first frame's functional group, or the data set."""
    first = next(groups_of(dataset), [])
    return in_groups(first, "FrameVOILUTSequence") or dataset


def _check_needs_no_picture(sop_class_uid: str) -> None:
    """Raise `IngestRefused("truncated")` for an object of an image class: it was cut off between two elements.

    Kept as it is, it would stand in the way of the whole file, which has the same number.
    Source: DICOM PS3.6 A, whose names of image classes all say "Image Storage".
    """
    if "Image Storage" in UID(sop_class_uid).name:
        raise refused("truncated")


def _present_bytes(body: Body, pixels: PixelElement) -> int:
    """Bytes of picture in the file; raises `IngestRefused("truncated")` if a fragment is cut."""
    if pixels.is_encapsulated:
        return Fragments(body, pixels).total_bytes
    return min(pixels.length, len(body.data) - pixels.offset)


def _why_not_displayable(
    body: Body, pixels: PixelElement | None, layout: PixelLayout, sop_class_uid: str
) -> str:
    """A sentence for the list of files that are kept but not shown, or "" for a picture we show."""
    if pixels is None:
        return "This file has no picture. It is in the download."
    if sop_class_uid.startswith(SEGMENTATION):
        return "This file marks regions of another picture. It is in the download."
    if body.syntax.family == "unknown" or body.syntax.is_encapsulated != pixels.is_encapsulated:
        return "The compression of this picture is not supported here. It is in the download."
    if not is_shown_kind(layout) or pixels.tag in FLOAT_PIXELS:
        return "The way this picture stores its values is not supported here. It is in the download."
    return ""


def is_shown_kind(layout: PixelLayout) -> bool:
    """Whether the viewer can show values stored this way: grey, palette or colour, of at most 16 bits."""
    kind = layout.photometric_interpretation
    is_grey = layout.samples == 1 and kind in (*MONOCHROME, PALETTE)
    is_colour = layout.samples == 3 and kind in COLOURS
    fits = (
        layout.bits_allocated in (8, 16)
        and 1 <= layout.bits_stored <= layout.high_bit + 1 <= layout.bits_allocated
    )
    return fits and (is_grey or is_colour)
