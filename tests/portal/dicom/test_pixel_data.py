"""Pictures of every transfer syntax, against what another decoder or another file says they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from portal.dicom.display import DisplaySpec, unify
from portal.dicom.sandbox import Sandbox
from portal.errors import IngestRefused
from tests.portal.dicom.files import RLE, compressed, lut, make_file, rle_of

LOSSLESS = (
    "explicit",
    "implicit",
    "bigendian",
    "deflated",
    "rle",
    "jpeg57_lossless",
    "jpeg70_lossless_sv1",
    "jls80_lossless",
    "j2k90_lossless",
)
LOSSY = {
    # The largest and the mean difference in HU; the bounds follow from each file's own rescale step and process.
    "j2k91_lossy": (8, 1.5),
    "jls81_near": (1, 1.0),
    "jpeg50_baseline8": (66, 20.0),
    "jpeg51_extended12": (40, 4.0),
    "jpeg53_spectral12": (40, 4.0),
    "jpeg55_progressive12": (40, 4.0),
}


def shown(box: Sandbox, data: bytes) -> tuple[np.ndarray, DisplaySpec]:
    """All frames as shown values (colours as they are), and the spec."""
    spec = unify([box.describe_pixels(data)])
    frames = np.stack(list(box.decode(data, spec=spec)))
    return (frames if spec.samples_per_pixel == 3 else frames * spec.slope + spec.intercept), spec


def on_screen(values: np.ndarray, spec: DisplaySpec) -> np.ndarray:
    """0 (black) to 1 (white), by the linear window of the manifest."""
    low = spec.window_center - spec.window_width / 2
    return np.clip((values - low) / spec.window_width, 0, 1)


@pytest.fixture(scope="module")
def hounsfield(data_dir: Path) -> np.ndarray:
    """The pixels of ct_explicit.dcm, cut out of the file without any decoder."""
    data = (data_dir / "syntaxes" / "ct_explicit.dcm").read_bytes()
    place = data.rindex(b"\xe0\x7f\x10\x00OW\0\0") + 8
    assert int.from_bytes(data[place : place + 4], "little") == 512 * 512 * 2
    pixels = np.frombuffer(data, "<i2", 512 * 512, place + 4).reshape(512, 512)
    return pixels.astype(np.float64) - 1024


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_syntaxes_give_the_same_values(
    data_dir: Path, box: Sandbox, hounsfield: np.ndarray, name: str
) -> None:
    values, spec = shown(box, (data_dir / "syntaxes" / f"ct_{name}.dcm").read_bytes())
    assert np.array_equal(values[0], hounsfield)
    assert (spec.unit, spec.window_center, spec.window_width) == ("HU", 40.0, 400.0)


@pytest.mark.parametrize(("name", "bounds"), LOSSY.items())
def test_lossy_syntaxes_come_close(
    data_dir: Path, box: Sandbox, hounsfield: np.ndarray, name: str, bounds: tuple[float, float]
) -> None:
    values, _ = shown(box, (data_dir / "syntaxes" / f"ct_{name}.dcm").read_bytes())
    difference = np.abs(values[0] - hounsfield)
    assert difference.max() <= bounds[0]
    assert difference.mean() <= bounds[1]


def test_every_syntax_of_the_data_set_is_decoded(data_dir: Path) -> None:
    named = {f"ct_{name}.dcm" for name in (*LOSSLESS, *LOSSY)} | {"htj2k201_lossless_rgb.dcm"}
    assert {file.name for file in (data_dir / "syntaxes").iterdir()} == named


def test_htj2k_colours_come_out(data_dir: Path, box: Sandbox) -> None:
    frames, spec = shown(box, (data_dir / "syntaxes" / "htj2k201_lossless_rgb.dcm").read_bytes())
    assert (frames.shape, spec.samples_per_pixel) == ((1, 480, 640, 3), 3)
    red, _, blue = frames[0].reshape(-1, 3).mean(axis=0)
    assert red > blue + 50, "a sunset is orange"


def test_palette_looks_like_the_picture_it_was_made_of(data_dir: Path, box: Sandbox) -> None:
    palette, _ = shown(box, (data_dir / "zoo" / "palette_8bit.dcm").read_bytes())
    original, _ = shown(box, (data_dir / "zoo" / "rgb_testpattern.dcm").read_bytes())
    assert np.abs(palette.astype(int) - original).mean() < 3


@pytest.mark.parametrize("name", ["ybr_full_422", "ybr_full_jpeg", "rgb16_2frames"])
def test_colour_bars_are_the_same_however_stored(data_dir: Path, box: Sandbox, name: str) -> None:
    bars, _ = shown(box, (data_dir / "zoo" / f"{name}.dcm").read_bytes())
    expected = [(255, 0, 0), (255, 128, 128), (0, 255, 0), (128, 255, 128), (0, 0, 255), (128, 128, 255)]
    expected += [(0, 0, 0), (64, 64, 64), (192, 192, 192), (255, 255, 255)]
    middles = bars[0, 5::10, 50].astype(int)
    assert np.abs(middles - expected).max() <= 5, "what JPEG left of a pure green"


@pytest.mark.parametrize("option", ["--jpeg", "--jpegls", "--j2k", "--rle", "--raw"])
@pytest.mark.parametrize("name", ["rgb_testpattern", "ybr_full_422"])
def test_colours_packed_by_another_tool_are_the_same(
    data_dir: Path, box: Sandbox, tmp_path: Path, name: str, option: str
) -> None:
    """GDCM's own converter stores the same picture in each lossless syntax."""
    source, packed = data_dir / "zoo" / f"{name}.dcm", tmp_path / "packed.dcm"
    converter = Path(sys.executable).parent / "gdcmconv"
    subprocess.run([converter, option, source, packed], check=True, capture_output=True)
    expected, _ = shown(box, source.read_bytes())
    values, _ = shown(box, packed.read_bytes())
    assert np.abs(values.astype(int) - expected).max() <= 1, "rounding of YBR to RGB"


def test_ybr_of_two_frames_and_palette_frames_are_all_given(data_dir: Path, box: Sandbox) -> None:
    assert shown(box, (data_dir / "zoo" / "palette_rle_2frames.dcm").read_bytes())[0].shape == (
        2,
        600,
        800,
        3,
    )
    assert shown(box, (data_dir / "zoo" / "rgb16_2frames.dcm").read_bytes())[0].shape == (2, 100, 100, 3)
    assert shown(box, (data_dir / "zoo" / "enhanced_mr_bigendian_10frames.dcm").read_bytes())[0].shape == (
        10,
        64,
        64,
    )


def test_panoramic_shows_bright_teeth_on_dark(data_dir: Path, box: Sandbox) -> None:
    """MONOCHROME1 through a modality LUT: the collar outside the film is black, fillings and crowns are white."""
    values, spec = shown(box, (data_dir / "dental" / "pano_real.dcm").read_bytes())
    screen = on_screen(values[0], spec)
    assert screen[:500].mean() < 0.05
    assert screen[950:1250, 500:1450].mean() > 0.4
    assert screen[1050:1150, 480:700].max() > 0.95


def test_monochrome1_is_turned_over(data_dir: Path, box: Sandbox) -> None:
    """A chest film: the lungs are darker than the belly below them."""
    values, spec = shown(box, (data_dir / "zoo" / "mono1_10bit_no_preamble").read_bytes())
    screen = on_screen(values[0], spec)
    assert screen[150:250, 80:160].mean() + 0.2 < screen[390:430, 150:300].mean()


def grey(box: Sandbox, stored: list[int], **attributes: object) -> tuple[list[float], DisplaySpec]:
    """What a row of stored values shows, 0 to 1000 from black to white."""
    pixels = np.array(stored, "<u2").tobytes()
    data = make_file(Rows=1, Columns=len(stored), PixelData=pixels, **attributes)
    values, spec = shown(box, data)
    return [float(value) for value in np.rint(on_screen(values[0, 0], spec) * 1000)], spec


def test_linear_window_is_the_standards(box: Sandbox) -> None:
    """C.11.2.1.2.1: with center 100 and width 101, 49.5 is black and 149.5 white."""
    seen, _ = grey(box, [0, 49, 50, 100, 149, 150, 400], WindowCenter=100, WindowWidth=101)
    assert seen == [0, 0, 5, 505, 995, 1000, 1000]


def test_exact_linear_window(box: Sandbox) -> None:
    seen, _ = grey(
        box, [0, 50, 100, 150, 400], WindowCenter=100, WindowWidth=100, VOILUTFunction="LINEAR_EXACT"
    )
    assert seen == [0, 0, 500, 1000, 1000]


def test_sigmoid_is_baked_in(box: Sandbox) -> None:
    seen, spec = grey(
        box, [0, 75, 100, 125, 400], WindowCenter=100, WindowWidth=100, VOILUTFunction="SIGMOID"
    )
    expected = [1000 / (1 + np.exp(-4 * (value - 100) / 100)) for value in (0, 75, 100, 125, 400)]
    assert seen == pytest.approx(expected, abs=1)
    assert (spec.window_center, spec.window_width) == (2047.5, 4095.0)


def test_modality_lut_then_voi_lut(box: Sandbox) -> None:
    seen, spec = grey(
        box,
        [5, 10, 11, 12, 50],
        ModalityLUTSequence=lut(10, [100, 101, 102]),
        VOILUTSequence=lut(101, [0, 255], bits=8),
    )
    assert seen == [0, 0, 0, 1000, 1000]
    assert spec.value_range == (0.0, 255.0)


@pytest.mark.parametrize(
    "attributes", [{"PhotometricInterpretation": "MONOCHROME1"}, {"PresentationLUTShape": "INVERSE"}]
)
def test_inverse_pictures_are_turned_over(box: Sandbox, attributes: dict[str, str]) -> None:
    seen, _ = grey(box, [0, 1000, 4095], WindowCenter=2048, WindowWidth=4096, **attributes)
    assert seen == [1000, 756, 0]


def test_bits_above_the_stored_ones_are_ignored(box: Sandbox) -> None:
    """Old files keep overlays in the upper four bits."""
    values, _ = shown(
        box, make_file(Rows=1, Columns=3, PixelData=np.array([0xF005, 0x0FFF, 0x8000], "<u2").tobytes())
    )
    assert values.ravel().tolist() == [5, 4095, 0]


def test_values_stored_in_the_upper_bits_are_moved_down(box: Sandbox) -> None:
    pixels = np.array([0x0050, 0xFFF0, 0x0000], "<u2").tobytes()
    values, _ = shown(box, make_file(Rows=1, Columns=3, HighBit=15, PixelData=pixels))
    assert values.ravel().tolist() == [5, 4095, 0]


def test_signed_values_of_12_bits(box: Sandbox) -> None:
    pixels = np.array([0x0FFF, 0x0800, 0x07FF], "<u2").tobytes()
    values, spec = shown(box, make_file(Rows=1, Columns=3, PixelRepresentation=1, PixelData=pixels))
    assert values.ravel().tolist() == [-1, -2048, 2047]
    assert spec.intercept == -2048


def test_padding_does_not_widen_the_window(box: Sandbox) -> None:
    pixels = np.array([0] * 40 + [1000] * 4 + [1100] * 4, "<u2").tobytes()
    spec = unify([box.describe_pixels(make_file(PixelData=pixels, PixelPaddingValue=0))])
    assert (spec.window_center, spec.window_width, spec.value_range) == (1050.0, 100.0, (0.0, 1100.0))


@pytest.mark.parametrize("planar", [0, 1])
def test_planar_and_interleaved_colours_are_the_same(box: Sandbox, planar: int) -> None:
    colours = np.random.default_rng(3).integers(0, 256, (6, 8, 3), np.uint8)
    stored = np.moveaxis(colours, 2, 0) if planar else colours
    data = make_file(
        SamplesPerPixel=3,
        PhotometricInterpretation="RGB",
        PlanarConfiguration=planar,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelData=np.ascontiguousarray(stored).tobytes(),
    )
    assert np.array_equal(next(box.decode(data)), colours)


def test_rle_of_16_bits_puts_the_high_byte_first(box: Sandbox) -> None:
    pixels = np.arange(48, dtype=np.uint16) * 83
    frame = rle_of(np.stack([pixels >> 8, pixels & 0xFF]).astype(np.uint8))
    values, _ = shown(box, compressed([frame, frame], RLE, NumberOfFrames=2))
    assert values.reshape(2, -1).tolist() == [pixels.tolist()] * 2


def test_picture_of_another_size_than_stated_is_refused(data_dir: Path, box: Sandbox) -> None:
    """The codec is never asked: the codestream states 512 columns, the header 511."""
    for name in (
        "jpeg70_lossless_sv1",
        "jls80_lossless",
        "j2k90_lossless",
        "jpeg50_baseline8",
        "jpeg51_extended12",
    ):
        data = (data_dir / "syntaxes" / f"ct_{name}.dcm").read_bytes()
        lying = data.replace(b"\x28\x00\x11\x00US\x02\x00\x00\x02", b"\x28\x00\x11\x00US\x02\x00\xff\x01")
        assert lying != data
        with pytest.raises(IngestRefused) as refused:
            box.describe_pixels(lying)
        assert refused.value.code == "pixel-size"


def test_grey_spec_for_a_colour_picture_is_refused(data_dir: Path, box: Sandbox) -> None:
    spec = unify([box.describe_pixels(make_file())])
    with pytest.raises(IngestRefused):
        next(box.decode((data_dir / "zoo" / "rgb_testpattern.dcm").read_bytes(), spec=spec))
