"""Every file of the shared images, as it lies and packed: stored byte for byte, or refused with a sentence."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from portal.practice.models import Practice
from portal.records.models import Study
from tests.cast import make_patient, make_practice
from tests.portal.records.scans import Stored, taken, taken_path

# folder or file: (family, given, birth date) of its chart, kinds of its series, frames of the first
REAL = {
    "cbct_synthetic": (("Tandgaard", "Astrid", date(1986, 4, 12)), ["volume", "image", "image"], 150),
    "dental/pano_real.dcm": (("XX", "XX", date(1900, 1, 1)), ["image"], 1),
    "dental/ceph_lateral.dcm": (("ANONYMOUS", "", date(1930, 1, 1)), ["image"], 1),
    "head_ct_cranium": (("Cranium", "Sample", date(1970, 1, 1)), ["volume"], 108),
    "head_phantom_philips": (("HEAD", "", date(1970, 1, 1)), ["volume"], 12),
    "cbct_synthetic_enhanced": (("Yamada", "Tarou", date(1991, 7, 5)), ["volume"], 75),
}


def files_of(path: Path) -> dict[str, bytes]:
    """The files below a folder, or the one file, by name."""
    paths = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    return {str(each.relative_to(path.parent)): each.read_bytes() for each in paths}


def zip_of(files: dict[str, bytes]) -> bytes:
    """The files in a ZIP, stored."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def zeroed(data: bytes) -> bytes:
    """A file as it is kept: the preamble zeroed."""
    return bytes(128) + data[128:] if data[128:132] == b"DICM" else data


@pytest.mark.parametrize("packed", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["folder", "zip"])
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if name.startswith("head_") else name for name in REAL],
)
def test_it_is_stored_whole_and_in_order(smile: Practice, data_dir: Path, name: str, packed: bool) -> None:
    (family, given, birthdate), kinds, frames = REAL[name]
    patient = make_patient(smile, given, family, birthdate)
    files = files_of(data_dir / name)
    upload = taken(patient, {"scan.zip": zip_of(files)}) if packed else taken_path(patient, data_dir / name)
    assert not upload.refused.exists()
    assert not upload.quarantined.exists()
    study = upload.studies.get()
    rows = list(study.series.order_by("position"))
    assert sorted(row.kind for row in rows) == sorted(kinds)
    assert rows[0].frame_count == frames
    stored = Stored(study)
    assert sorted(stored.originals()) == sorted(map(zeroed, files.values()))


def preview_of(study: Study, view: int) -> np.ndarray:
    """A stored preview, decoded."""
    stored = Stored(study)
    entry = next(entry for entry in stored.manifest.select(kind="preview") if entry.index == view)
    return np.asarray(Image.open(io.BytesIO(stored.read(entry))).convert("L"), np.int16)


def test_the_real_panoramic_shows_bright_teeth_on_dark(smile: Practice, data_dir: Path) -> None:
    patient = make_patient(smile, "XX", "XX", date(1900, 1, 1))
    picture = preview_of(taken_path(patient, data_dir / "dental/pano_real.dcm").studies.get(), 3)
    rows, columns = picture.shape
    assert picture[: rows // 4].mean() < 20, "no film above the picture"
    teeth = picture[int(rows * 0.55) : int(rows * 0.65), int(columns * 0.3) : int(columns * 0.6)]
    assert np.percentile(teeth, 90) > 140
    letter = picture[int(rows * 0.93) : int(rows * 0.98)]
    assert letter[:, : columns // 6].max() > 200, "the burned-in R stays at the left"


def test_the_slices_of_a_scanner_are_sorted_by_place_not_by_file_name(
    smile: Practice, data_dir: Path
) -> None:
    patient = make_patient(smile, "", "HEAD", date(1970, 1, 1))
    study = taken_path(patient, data_dir / "head_phantom_philips").studies.get()
    stored = Stored(study)
    (entry,) = stored.manifest.select(kind="tags")
    tags = json.loads(stored.read(entry))
    entries = sorted(stored.manifest.select(kind="original"), key=lambda each: each.extra["position"])
    numbers = [tags["instances"][str(each.instance)]["InstanceNumber"] for each in entries]
    assert numbers == sorted(numbers) or numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == 12


@pytest.mark.parametrize("folder", ["syntaxes", "zoo", "malformed", "charsets", "dicomdir", "dental"])
def test_every_odd_file_ends_in_a_row_or_a_sentence(smile: Practice, data_dir: Path, folder: str) -> None:
    patient = make_patient(smile, "CT", "MISTER", date(1950, 1, 1))
    files = files_of(data_dir / folder)
    upload = taken(patient, files)
    for refusal in upload.refused.all():
        assert re.fullmatch(r"[a-z-]+", refusal.code)
        assert refusal.sentence.endswith(".")
    kept = sum(study.file_count for study in upload.studies.all())
    held = sum(group.file_count for group in upload.quarantined.all())
    assert kept + held + upload.refused.count() <= len(files) + 3
    assert kept + held + upload.refused.count() > 0
    for study in upload.studies.all():
        assert Stored(study).originals()


def test_a_bomb_and_a_path_that_leads_outside_are_refused(smile: Practice, data_dir: Path) -> None:
    upload = taken(make_patient(smile), files_of(data_dir / "malformed"))
    codes = {Path(row.name).name: row.code for row in upload.refused.all()}
    assert codes["own_zip_bomb.zip"] == "zip-ratio"
    assert codes["own_zip_slip.zip"] == "zip-path"
    assert codes["own_cut.dcm"] == "truncated"
    assert codes["own_huge_rows.dcm"] in {"too-large", "truncated", "pixel-size"}


@pytest.mark.slow
def test_every_syntax_of_one_slice_is_shown(db: None, data_dir: Path) -> None:
    """A practice for each: all carry the same UID, which names one object for ever."""
    kinds = {}
    for path in sorted((data_dir / "syntaxes").glob("ct_*.dcm")):
        patient = make_patient(make_practice(), "CT", "MISTER", date(1950, 1, 1))
        kinds[path.stem] = taken_path(patient, path).studies.get().series.get().kind
    assert len(kinds) == 15
    assert set(kinds.values()) == {"image"}, kinds
