"""Pictures no scanner of teeth makes, but discs hold: each is shown as it is, or there is a sentence in its place."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from portal.dicom.geometry import IN_COLOUR
from portal.practice.models import Practice
from portal.records.ingest.plan import ALL_ALIKE
from portal.records.models import Patient
from tests.cast import make_patient
from tests.portal.records.scans import Scan, Stored, dicom, series, taken

SCAN = Scan(study_uid="1.2.3.500", series_uid="1.2.3.500.1")
SIZE = 24
EIGHT_BITS = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}


@pytest.fixture
def maria(smile: Practice) -> Patient:
    return make_patient(smile)


def document_of(patient: Patient, files: dict[str, bytes]) -> dict[str, Any]:
    """What the viewer is told of the study that these files make."""
    stored = Stored(taken(patient, files).studies.get())
    document: dict[str, Any] = json.loads(stored.read(stored.manifest.select(kind="document")[0]))
    return document


def only_series(patient: Patient, files: dict[str, bytes]) -> dict[str, Any]:
    (shown,) = document_of(patient, files)["series"]
    return dict(shown)


def noise(shape: tuple[int, ...], most: int, kind: type) -> bytes:
    return np.random.default_rng(3).integers(0, most, shape, endpoint=True).astype(kind).tobytes()


def palette() -> dict[str, Any]:
    tables = {
        f"{colour}PaletteColorLookupTable{part}": value
        for colour, steps in (("Red", 256), ("Green", 128), ("Blue", 64))
        for part, value in (
            ("Descriptor", [256, 0, 16]),
            ("Data", (np.arange(256) * steps).astype("<u2").tobytes()),
        )
    }
    return {"PhotometricInterpretation": "PALETTE COLOR", **tables}


COLOURED = {
    "RGB": {
        "SamplesPerPixel": 3,
        "PlanarConfiguration": 0,
        "PhotometricInterpretation": "RGB",
        "PixelData": noise((SIZE, SIZE, 3), 255, np.uint8),
    },
    "palette": {**palette(), "PixelData": noise((SIZE, SIZE), 255, np.uint8)},
}


@pytest.mark.parametrize("how", COLOURED)
def test_slices_in_colour_are_shown_one_by_one(maria: Patient, how: str) -> None:
    shown = only_series(maria, series(SCAN, 5, **EIGHT_BITS, **COLOURED[how]))
    assert (shown["kind"], shown["SamplesPerPixel"], shown["NumberOfFrames"]) == ("stack", 3, 5)
    assert shown["notices"] == [IN_COLOUR]


@pytest.mark.parametrize("is_signed", [False, True])
def test_all_16_bits_are_kept(maria: Patient, is_signed: bool) -> None:
    kind = np.int16 if is_signed else np.uint16
    pixels = np.linspace(np.iinfo(kind).min, np.iinfo(kind).max, SIZE * SIZE).astype(kind)
    tags = {"PixelRepresentation": int(is_signed), "PixelData": pixels.tobytes(), "RescaleIntercept": 0}
    shown = only_series(maria, series(SCAN, 4, **tags))
    assert (shown["kind"], shown["slope"]) == ("volume", 1.0)
    assert shown["value_range"] == [float(np.iinfo(kind).min), float(np.iinfo(kind).max)]


def test_one_slice_is_a_picture(maria: Patient) -> None:
    shown = only_series(maria, {"a": dicom(SCAN)})
    assert (shown["kind"], shown["notices"]) == ("image", [])


def test_a_picture_of_one_value_says_so(maria: Patient) -> None:
    even = np.full((SIZE, SIZE), 1000, np.uint16).tobytes()
    shown = only_series(maria, series(SCAN, 4, PixelData=even))
    assert ALL_ALIKE in shown["notices"]
    assert shown["window"]["width"] > 0


def test_one_bit_a_pixel_is_listed_with_the_reason(maria: Patient) -> None:
    tags = {"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0, "PixelData": bytes(SIZE * SIZE // 8)}
    document = document_of(maria, series(SCAN, 4, **tags))
    assert document["series"] == []
    assert {other["reason"] for other in document["others"]} == {
        "The way this picture stores its values is not supported here. It is in the download."
    }
