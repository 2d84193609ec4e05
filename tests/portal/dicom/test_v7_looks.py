"""V7: X-rays and photographs look as pydicom renders them, within 2 of 255 grey levels, whatever tables they bring."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels import (
    apply_color_lut,
    apply_modality_lut,
    apply_voi_lut,
    apply_windowing,
    convert_color_space,
    pixel_array,
)

from portal.dicom.display import unify
from portal.dicom.sandbox import Sandbox
from tests.portal.dicom.files import lut, make_file

Grey = NDArray[np.float64]
MOST = 2.0


def on_our_screen(box: Sandbox, data: bytes) -> Grey:
    """Every frame, 0 to 255, as viewer, previews and slices window it."""
    spec = unify([box.describe_pixels(data)])
    frames = np.stack(list(box.decode(data, spec=spec))).astype(np.float64)
    if spec.samples_per_pixel == 3:
        return frames
    shown = frames * spec.slope + spec.intercept
    return np.clip((shown - spec.window_center) / spec.window_width + 0.5, 0, 1) * 255


def by_pydicom(data: bytes) -> Grey:
    ds = pydicom.dcmread(io.BytesIO(data), force=True)
    if "TransferSyntaxUID" not in ds.file_meta:
        ds.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    plugin = "gdcm" if "JPEG" in ds.file_meta.TransferSyntaxUID.name else ""
    stored = pixel_array(ds, decoding_plugin=plugin, raw=True)
    frames = stored.reshape(-1, *stored.shape[-3:] if ds.SamplesPerPixel == 3 else stored.shape[-2:])
    return _colour(ds, frames) if _is_colour(ds) else _grey(ds, frames)


def _is_colour(ds: Dataset) -> bool:
    return ds.PhotometricInterpretation not in ("MONOCHROME1", "MONOCHROME2")


def _colour(ds: Dataset, frames: NDArray[Any]) -> Grey:
    kind = ds.PhotometricInterpretation
    if kind == "PALETTE COLOR":
        looked_up = apply_color_lut(frames, ds)
        bits = ds.RedPaletteColorLookupTableDescriptor[2]
        return np.asarray(looked_up / 256 if bits == 16 else looked_up, np.float64)
    if kind.startswith("YBR"):
        frames = convert_color_space(frames, "YBR_FULL", "RGB")
    return np.asarray(frames / (1 << (ds.BitsStored - 8)), np.float64)


def _grey(ds: Dataset, frames: NDArray[Any]) -> Grey:
    values = np.asarray(apply_modality_lut(frames, ds), np.float64)
    if "VOILUTSequence" in ds:
        top = (1 << int(ds.VOILUTSequence[0].LUTDescriptor[2])) - 1
        share = np.asarray(apply_voi_lut(values.astype(np.int64), ds, prefer_lut=True)) / top
    elif "WindowCenter" in ds:
        # What black and white are depends on the file: two values beyond the window tell.
        far = 100 * float(ds.WindowWidth)
        shown = apply_windowing(np.concatenate([values.ravel(), [-far, far]]), ds)
        share = ((shown - shown[-2]) / (shown[-1] - shown[-2]))[:-2].reshape(values.shape)
    else:
        low, high = np.percentile(values, [0.5, 99.5])
        share = (values - low) / (high - low)
    if ds.PhotometricInterpretation == "MONOCHROME1" or ds.get("PresentationLUTShape") == "INVERSE":
        share = 1 - share
    return np.clip(share, 0, 1) * 255


def check(box: Sandbox, data: bytes, most: float = MOST) -> None:
    ours, theirs = on_our_screen(box, data), by_pydicom(data)
    assert ours.shape == theirs.shape
    assert np.ptp(theirs) > 100, "nothing to see"
    assert np.abs(ours - theirs).max() <= most


WINDOW = {"WindowCenter": 1800, "WindowWidth": 2400}
CURVE = [round(4095 * (code / 4095) ** 0.6) for code in range(4096)]
MADE: dict[str, dict[str, Any]] = {
    "window": WINDOW,
    "exact_window": {**WINDOW, "VOILUTFunction": "LINEAR_EXACT"},
    "sigmoid": {**WINDOW, "VOILUTFunction": "SIGMOID"},
    "monochrome1": {**WINDOW, "PhotometricInterpretation": "MONOCHROME1"},
    "monochrome1_sigmoid": {
        **WINDOW,
        "VOILUTFunction": "SIGMOID",
        "PhotometricInterpretation": "MONOCHROME1",
    },
    "inverse_shape": {**WINDOW, "PresentationLUTShape": "INVERSE"},
    "rescaled": {"RescaleSlope": 0.25, "RescaleIntercept": -100, "WindowCenter": 400, "WindowWidth": 700},
    "modality_lut": {"ModalityLUTSequence": lut(0, CURVE), **WINDOW},
    "voi_lut": {"VOILUTSequence": lut(0, CURVE, bits=12)},
    "voi_lut_monochrome1": {
        "VOILUTSequence": lut(0, CURVE, bits=12),
        "PhotometricInterpretation": "MONOCHROME1",
    },
    "voi_lut_that_begins_late": {"VOILUTSequence": lut(1000, [code * 16 for code in range(2048)], bits=16)},
    "both_luts": {
        "ModalityLUTSequence": lut(0, CURVE),
        "VOILUTSequence": lut(0, CURVE[::-1], bits=12),
    },
    "neither": {},
}


def panoramic(bits: int, *, is_signed: bool, **attributes: Any) -> bytes:
    """Every value that so many bits hold, in a picture of 64 columns."""
    count = 1 << bits
    codes = np.arange(count, dtype=np.uint32)
    if is_signed:
        codes = (codes + (count >> 1)) & (count - 1)
    pixels = codes.astype(np.uint8 if bits == 8 else "<u2")
    facts: dict[str, Any] = {
        "Modality": "PX", "Rows": count // 64, "Columns": 64, "PixelData": pixels.tobytes(), "BitsStored": bits,
        "BitsAllocated": 8 if bits == 8 else 16, "HighBit": bits - 1, "PixelRepresentation": int(is_signed),
    }  # fmt: skip
    return make_file(**{**facts, **attributes})


@pytest.mark.parametrize("name", MADE)
def test_v7_a_panoramic_of_12_bits(box: Sandbox, name: str) -> None:
    check(box, panoramic(12, is_signed=False, **MADE[name]))


@pytest.mark.parametrize("bits", [8, 10, 16])
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("is_signed", [False, True])
def test_v7_every_depth_signed_or_not(box: Sandbox, bits: int, function: str, is_signed: bool) -> None:
    middle = 0 if is_signed else 1 << (bits - 1)
    window = {"WindowCenter": middle, "WindowWidth": round(0.6 * (1 << bits)), "VOILUTFunction": function}
    check(box, panoramic(bits, is_signed=is_signed, **window))


@pytest.mark.parametrize(
    "name",
    [
        "dental/pano_real.dcm",
        pytest.param("dental/ceph_lateral.dcm", marks=pytest.mark.slow),
        "dental/photo_EV08.dcm",
        "dental/photo_IV27.dcm",
        "cbct_synthetic/panoramic_px.dcm",
        "cbct_synthetic/intraoral_io.dcm",
        "zoo/mono1_10bit_no_preamble",
        "zoo/palette_8bit.dcm",
        "zoo/palette_rle_2frames.dcm",
        "zoo/rgb_testpattern.dcm",
        "zoo/rgb16_2frames.dcm",
        "zoo/ybr_full_422.dcm",
    ],
)
def test_v7_real_pictures(data_dir: Path, box: Sandbox, name: str) -> None:
    check(box, (data_dir / name).read_bytes())
