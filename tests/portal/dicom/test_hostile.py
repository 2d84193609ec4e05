"""Hostile files: bombs, lies, depths and thousands of mutants. Each is a header or a verdict, never anything else."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.dicom.sandbox import Sandbox
from portal.dicom.verdicts import SENTENCES
from portal.errors import IngestRefused
from tests.portal.dicom.files import (
    RLE,
    compressed,
    deflated,
    lut,
    make_dataset,
    make_file,
    nested,
    rle_of,
)

PRIVATE_UN = b"\x11\x00\x10\x10UN\0\0"


def verdict(box: Sandbox, data: bytes) -> str:
    with pytest.raises(IngestRefused) as refused:
        box.read_header(data)
    return refused.value.code


def read_all(box: Sandbox, data: bytes) -> None:
    """Header, description and frames; raises `IngestRefused` or nothing."""
    header = box.read_header(data)
    if header.displayable:
        box.describe_pixels(data)
        for frame in box.decode(data):
            assert frame.shape[:2] == (header.rows, header.columns)


def test_deflated_file_is_read(box: Sandbox) -> None:
    zeros = 1 << 20
    assert (
        box.read_header(deflated(PRIVATE_UN + zeros.to_bytes(4, "little"), zeros)).patient_name
        == "Grant^Maria"
    )


@pytest.mark.parametrize("mebibytes", [80, 600])
def test_deflate_bomb_is_stopped_before_pydicom_sees_it(box: Sandbox, mebibytes: int) -> None:
    zeros = mebibytes << 20
    bomb = deflated(PRIVATE_UN + zeros.to_bytes(4, "little"), zeros)
    assert len(bomb) < 1 << 20
    assert verdict(box, bomb) == "deflate-bomb"


def test_broken_deflate_is_a_verdict(box: Sandbox) -> None:
    whole = deflated(b"", 0)
    assert verdict(box, whole[:-40]) == "truncated"
    assert verdict(box, whole[:-60] + b"\xff" * 60) == "bad-header"


@pytest.mark.parametrize("depth", [200, 3000])
def test_sequences_200_deep_are_too_deep(box: Sandbox, depth: int) -> None:
    assert verdict(box, nested(depth)) == "too-deep"


def test_sequences_32_deep_are_read(box: Sandbox) -> None:
    assert box.read_header(nested(32)).study_instance_uid == "2.25.2"


def test_rle_that_asks_for_a_tebibyte_is_refused(box: Sandbox) -> None:
    frame = rle_of(np.zeros((2, 48), np.uint8))
    asked = {"Rows": 16384, "Columns": 16384, "NumberOfFrames": 2048}
    bomb = compressed([frame], RLE, **asked)
    assert len(bomb) < 1500
    assert verdict(box, bomb) == "too-large"


def test_rle_cannot_hold_more_than_64_times_its_size(box: Sandbox) -> None:
    bomb = compressed([rle_of(np.zeros((2, 48), np.uint8))], RLE, Rows=4096, Columns=4096)
    assert verdict(box, bomb) == "pixel-size"


def test_rle_whose_segments_lie_is_a_verdict(box: Sandbox) -> None:
    frame = bytearray(rle_of(np.zeros((2, 48), np.uint8)))
    frame[4:8] = (0xFFFFFF00).to_bytes(4, "little")
    with pytest.raises(IngestRefused):
        box.describe_pixels(compressed([bytes(frame)], RLE))


def test_huge_palette_and_luts_are_harmless(box: Sandbox) -> None:
    for keyword in ("ModalityLUTSequence", "VOILUTSequence"):
        for outputs in ([], [1], [65535] * 4000):
            with contextlib.suppress(IngestRefused):
                read_all(box, make_file(**{keyword: lut(-5 & 0xFFFF, outputs)}))
    with pytest.raises(IngestRefused):
        box.describe_pixels(make_file(PhotometricInterpretation="PALETTE COLOR", WindowWidth=0)[:-10])


@pytest.mark.parametrize(
    "attributes",
    [
        {"RescaleSlope": 0},
        {"RescaleSlope": 1e300, "RescaleIntercept": -1e300},
        {"RescaleSlope": 1e-300},
        {"WindowCenter": 0, "WindowWidth": 0},
        {"WindowCenter": 1e30, "WindowWidth": 1e-30, "VOILUTFunction": "SIGMOID"},
        {"BitsStored": 1, "HighBit": 0},
        {"BitsStored": 16, "HighBit": 3},
        {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 65535},
        {"ImageOrientationPatient": [0, 0, 0, 0, 0, 0], "ImagePositionPatient": [1e300, 1e300, 1e300]},
    ],
)
def test_odd_numbers_are_a_picture_or_a_verdict(box: Sandbox, attributes: dict[str, object]) -> None:
    with contextlib.suppress(IngestRefused):
        read_all(box, make_file(**attributes))
    assert box.read_header(make_file()).rows == 6


def test_verdicts_carry_nothing_of_the_file(box: Sandbox) -> None:
    with pytest.raises(IngestRefused) as refused:
        box.read_header(make_file(PatientName="Unmistakable^Name", Rows=60))
    assert "Unmistakable" not in f"{refused.value!r}{refused.value.sentence}{refused.value.details}"
    assert refused.value.sentence == SENTENCES["truncated"]


@pytest.fixture(scope="module")
def seeds(data_dir: Path) -> list[bytes]:
    """Small valid files of many kinds."""
    names = ["charsets/chrH31.dcm", "zoo/seg_binary.dcm", "zoo/sr_measurements.dcm", "zoo/ybr_full_jpeg.dcm"]
    names += [
        "malformed/MR_small_padded.dcm",
        "malformed/own_markup_name.dcm",
        "zoo/enhanced_mr_bigendian_10frames.dcm",
    ]
    sample = rle_of(np.stack([np.zeros(48, np.uint8), np.arange(48, dtype=np.uint8)]))
    made = [make_file(), make_file(VOILUTSequence=lut(0, [1, 2, 3])), compressed([sample], RLE), nested(5)]
    return [*made, deflated(b"", 0), *((data_dir / name).read_bytes() for name in names)]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutants_are_headers_pictures_or_verdicts(
    box: Sandbox, seeds: list[bytes], data: st.DataObject
) -> None:
    mutant = bytearray(data.draw(st.sampled_from(seeds)))
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, min(len(mutant) - 1, 6000)))
        match data.draw(st.sampled_from(["set", "insert", "delete", "ones"])):
            case "set":
                mutant[place] = data.draw(st.integers(0, 255))
            case "insert":
                mutant[place:place] = data.draw(st.binary(min_size=1, max_size=8))
            case "delete":
                del mutant[place : place + data.draw(st.integers(1, 16))]
                mutant += b"\0"
            case "ones":
                mutant[place : place + 4] = b"\xff" * 4
    try:
        read_all(box, bytes(mutant))
    except IngestRefused as refused:
        known = refused.code in SENTENCES
    else:
        known = True
    assert known


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400))
def test_any_bytes_after_a_preamble_are_a_header_or_a_verdict(box: Sandbox, tail: bytes) -> None:
    with contextlib.suppress(IngestRefused):
        read_all(box, bytes(128) + b"DICM" + tail)


def test_the_reader_still_reads_after_all_that(box: Sandbox) -> None:
    assert box.read_header(make_file()).patient_name == "Grant^Maria"
    assert make_dataset().Rows == 6
