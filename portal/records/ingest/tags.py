"""What a DICOMDIR says of a series and its files, sealed beside them so that a download never parses DICOM.

Source: DICOM PS3.3 F.5 (patient, study, series and image records).
"""

from __future__ import annotations

from typing import Any

from portal.dicom.headers import Header
from portal.records.ingest.plan import SeriesPlan

PATIENT = {
    "PatientID": "patient_id",
    "PatientName": "patient_name",
    "PatientBirthDate": "patient_birth_date",
    "PatientSex": "patient_sex",
}
STUDY = {
    "StudyInstanceUID": "study_instance_uid",
    "StudyDate": "study_date",
    "StudyTime": "study_time",
    "StudyDescription": "study_description",
    "StudyID": "study_id",
    "AccessionNumber": "accession_number",
    "ReferringPhysicianName": "referring_physician_name",
}
SERIES = {
    "SeriesInstanceUID": "series_instance_uid",
    "SeriesNumber": "series_number",
    "SeriesDescription": "series_description",
    "Modality": "modality",
    "Laterality": "laterality",
    "BodyPartExamined": "body_part_examined",
    "Manufacturer": "manufacturer",
    "ManufacturerModelName": "manufacturer_model_name",
}
INSTANCE = {
    "SOPClassUID": "sop_class_uid",
    "SOPInstanceUID": "sop_instance_uid",
    "TransferSyntaxUID": "transfer_syntax_uid",
    "InstanceNumber": "instance_number",
    "AcquisitionDate": "acquisition_date",
    "AcquisitionTime": "acquisition_time",
    "ContentDate": "content_date",
    "ImageLaterality": "image_laterality",
    "Rows": "rows",
    "Columns": "columns",
    "NumberOfFrames": "number_of_frames",
}


def tags_of(plan: SeriesPlan) -> dict[str, Any]:
    """`{"patient", "study", "series", "instances": {id: {...}}}` by DICOM keyword; what a file lacks is left out."""
    first = plan.files[0].header
    return {
        "patient": _tags(first, PATIENT),
        "study": _tags(first, STUDY),
        "series": _tags(first, SERIES),
        "instances": {
            str(instance): {**_tags(file.header, INSTANCE), "ImageType": list(file.header.image_type)}
            for instance, file in zip(plan.instance_ids, plan.files, strict=True)
        },
    }


def _tags(header: Header, names: dict[str, str]) -> dict[str, Any]:
    found = {keyword: getattr(header, name) for keyword, name in names.items()}
    return {keyword: value for keyword, value in found.items() if value not in ("", None)}
