"""Large files that are quick to make: reports without a picture, so that only their way in and out takes time."""

from __future__ import annotations

import os

from tests.portal.records.scans import Scan, dicom

PDF_CLASS = "1.2.840.10008.5.1.4.1.1.104.1"
PICTURE = ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation")


def report(length: int, *, scan: Scan | None = None, content: bytes = b"") -> bytes:
    """An encapsulated document of `length` random bytes, or of `content`."""
    kind = {"SOPClassUID": PDF_CLASS, "Modality": "DOC", "MIMETypeOfEncapsulatedDocument": "application/pdf"}
    return dicom(scan or Scan(), without=PICTURE, EncapsulatedDocument=content or os.urandom(length), **kind)
