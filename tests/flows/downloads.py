"""Whether a download is what was uploaded: read with zipfile and pydicom, by nothing of the product."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pydicom

PREAMBLE = 128


def check_archive(path: Path | io.BytesIO, uploaded: Iterable[bytes]) -> None:
    """Every uploaded file is there byte for byte, its preamble zeroed; DICOMDIR and checksums list them all."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        files = {name: archive.read(name) for name in archive.namelist()}
    originals = {
        name: content for name, content in files.items() if re.fullmatch(r"DICOM/S\d{4}/I\d{7}", name)
    }
    assert sorted(originals.values()) == sorted(map(_zeroed, uploaded))
    assert _listed(files["DICOMDIR"]) == set(originals)
    sums = dict(line.split("  ")[::-1] for line in files.pop("MANIFEST.sha256").decode().splitlines())
    assert sums == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def _zeroed(content: bytes) -> bytes:
    return bytes(PREAMBLE) + content[PREAMBLE:]


def _listed(directory: bytes) -> set[str]:
    """The files that the DICOMDIR has a record of; PS3.3 F.5."""
    records = pydicom.dcmread(io.BytesIO(directory)).DirectoryRecordSequence
    return {"/".join(one.ReferencedFileID) for one in records if "ReferencedFileID" in one}
