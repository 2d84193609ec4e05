"""What studies and series are called on the pages: their own description, or the kind of picture in plain words."""

from __future__ import annotations

from portal.dicom.headers import Header

KINDS = {
    "CT": "CT scan",
    "PX": "Panoramic X-ray",
    "IO": "Tooth X-ray",
    "DX": "X-ray",
    "CR": "X-ray",
    "RG": "X-ray",
    "XC": "Photograph",
    "MR": "MR scan",
    "US": "Ultrasound",
    "DOC": "Document",
    "SR": "Report",
    "PR": "Display settings",
    "SEG": "Marked regions",
    "SC": "Picture",
    "OT": "Picture",
}
TITLE_MAX = 120


def series_title(header: Header) -> str:
    """The series' description as written, else the kind of picture."""
    return (
        _clean(header.series_description) or _clean(header.document_title) or kind_in_words(header.modality)
    )


def study_title(headers: list[Header]) -> str:
    """The first study description as written, else what kinds of picture it holds."""
    for header in headers:
        if title := _clean(header.study_description):
            return title
    kinds = dict.fromkeys(kind_in_words(header.modality) for header in headers)
    return ", ".join(list(kinds)[:3])


def kind_in_words(modality: str) -> str:
    """A modality for people who don't know the codes."""
    return KINDS.get(modality, modality or "Images")


def _clean(text: str) -> str:
    return " ".join(text.split())[:TITLE_MAX]
