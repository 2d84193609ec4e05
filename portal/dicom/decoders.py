"""One compressed or plain frame to raw samples, by the codec its transfer syntax needs.

Runs in the confined child. Each codec is asked only after the size it will allocate has been checked.

    JPEG 8 bit DCT (50, 51)                              Pillow (libjpeg-turbo)
    JPEG 12 bit DCT, spectral, progressive, lossless     GDCM
    JPEG-LS (80, 81)                                     CharLS
    JPEG 2000 (90, 91), HTJ2K (201-203)                  OpenJPEG
    RLE, native                                          here

Source: DICOM PS3.5 8.1, 8.2 and annex G.
"""

from __future__ import annotations

import io
import struct
from typing import Final

import gdcm
import jpeg_ls
import numpy as np
from openjpeg.utils import decode as decode_jpeg_2000
from PIL import Image, JpegImagePlugin

from portal.dicom.acceptance import PixelLayout
from portal.dicom.codestreams import Codestream, jpeg_2000_codestream, jpeg_codestream
from portal.dicom.syntaxes import Syntax
from portal.dicom.verdicts import refused

PREIMPORTED: Final = (JpegImagePlugin,)
"""Pillow imports its formats when first needed, and then the child can't open files any more."""
JP2_HEAD: Final = b"\0\0\0\x0cjP  "
CODESTREAM_HEAD: Final = b"\xff\x4f\xff\x51"
RLE_HEADER: Final = struct.Struct("<16L")


def decode_frame(data: bytes, layout: PixelLayout, syntax: Syntax) -> np.ndarray:
    """Raw samples of one frame: rows x columns or rows x columns x 3, unsigned or signed as the codec gives them.

    Raises `IngestRefused`: `pixel-size` if the frame isn't of the stated size, `bad-pixels`, `unsupported`.
    """
    match syntax.family:
        case "native":
            return _native(data, layout, syntax.is_little_endian)
        case "rle":
            return _rle(data, layout)
        case "jpeg":
            return _jpeg(data, layout, syntax.uid)
        case "jpeg-ls":
            return _jpeg_ls(data, layout)
        case "jpeg-2000":
            return _jpeg_2000(data, layout)
    raise refused("unsupported")


def _native(data: bytes, layout: PixelLayout, is_little_endian: bool) -> np.ndarray:
    dtype = np.dtype("u1" if layout.bits_allocated == 8 else "<u2" if is_little_endian else ">u2")
    samples = np.frombuffer(data, dtype, count=layout.frame_bytes // dtype.itemsize)
    if layout.photometric_interpretation == "YBR_FULL_422":
        return _spread_colours(samples.reshape(layout.rows, -1, 4))
    return _shaped(samples, layout, is_planar=layout.planar_configuration == 1)


def _spread_colours(quads: np.ndarray) -> np.ndarray:
    """Y1 Y2 Cb Cr for two pixels to Y Cb Cr for each (PS3.3 C.7.6.3.1.2)."""
    luma = quads[:, :, :2]
    blue, red = (np.repeat(quads[:, :, place], 2, axis=1) for place in (2, 3))
    return np.stack((luma.reshape(luma.shape[0], -1), blue, red), axis=2)


def _shaped(samples: np.ndarray, layout: PixelLayout, *, is_planar: bool) -> np.ndarray:
    if samples.size != layout.rows * layout.columns * layout.samples:
        raise refused("pixel-size")
    if layout.samples == 1:
        return samples.reshape(layout.rows, layout.columns)
    if is_planar:
        return np.moveaxis(samples.reshape(layout.samples, layout.rows, layout.columns), 0, 2)
    return samples.reshape(layout.rows, layout.columns, layout.samples)


def _rle(data: bytes, layout: PixelLayout) -> np.ndarray:
    """One segment a byte of a sample, the most significant first, planes one after another (PS3.5 G.2)."""
    sample_bytes = layout.bits_allocated // 8
    count, *offsets = RLE_HEADER.unpack_from(data) if len(data) >= RLE_HEADER.size else (0,)
    if count != layout.samples * sample_bytes or count > 15:
        raise refused("bad-pixels")
    bounds = [*offsets[:count], len(data)]
    pixels = layout.rows * layout.columns
    planes = [_unpack_bits(data[bounds[k] : bounds[k + 1]], pixels) for k in range(count)]
    samples = np.frombuffer(b"".join(planes), np.uint8).reshape(layout.samples, sample_bytes, pixels)
    joined = samples[:, 0].astype(np.uint16) << 8 | samples[:, 1] if sample_bytes == 2 else samples[:, 0]
    return _shaped(joined.reshape(-1), layout, is_planar=True)


def _unpack_bits(segment: bytes, length: int) -> bytes:
    """PackBits (PS3.5 G.3.1), no further than `length` bytes."""
    unpacked = bytearray()
    position = 0
    while len(unpacked) < length and position + 1 < len(segment):
        control = segment[position]
        if control < 128:
            unpacked += segment[position + 1 : position + 2 + control]
            position += 2 + control
        else:
            unpacked += segment[position + 1 : position + 2] * (257 - control if control > 128 else 0)
            position += 2 if control > 128 else 1
    if len(unpacked) < length:
        raise refused("truncated")
    return bytes(unpacked[:length])


def _jpeg(data: bytes, layout: PixelLayout, uid: str) -> np.ndarray:
    stream = jpeg_codestream(data)
    _check(stream, layout)
    if stream.is_8_bit_dct:
        return _pillow(data, layout)
    return _gdcm(data, layout, uid)


def _pillow(data: bytes, layout: PixelLayout) -> np.ndarray:
    """Colours come out as RGB. Without Adobe's marker, three components count as YCbCr; DICOM may know better."""
    image = Image.open(io.BytesIO(data), formats=("JPEG",))
    if layout.photometric_interpretation == "RGB" and "adobe" not in image.info:
        image.draft("YCbCr", image.size)
    return _shaped(np.asarray(image).reshape(-1), layout, is_planar=False)


def _gdcm(data: bytes, layout: PixelLayout, uid: str) -> np.ndarray:
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(data)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((layout.columns, layout.rows, 1))
    image.SetDataElement(element)
    kind = gdcm.PhotometricInterpretation.GetPIType(layout.photometric_interpretation)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(uid)))
    image.SetPixelFormat(_gdcm_format(layout))
    raw = image.GetBuffer().encode("utf-8", "surrogateescape")
    return _shaped(np.frombuffer(raw, "u1" if layout.bits_allocated == 8 else "<u2"), layout, is_planar=False)


def _gdcm_format(layout: PixelLayout) -> object:
    stored = layout.bits_stored
    return gdcm.PixelFormat(layout.samples, layout.bits_allocated, stored, stored - 1, int(layout.is_signed))


def _jpeg_ls(data: bytes, layout: PixelLayout) -> np.ndarray:
    stream = jpeg_codestream(data)
    _check(stream, layout)
    raw, parameters = jpeg_ls.decode_pixel_data(data)
    samples = np.frombuffer(raw, "u1" if stream.precision <= 8 else "<u2")
    return _shaped(samples, layout, is_planar=parameters["interleave_mode"] == 0)


def _jpeg_2000(data: bytes, layout: PixelLayout) -> np.ndarray:
    """Some writers wrap the codestream in a JP2 file; the codestream is all we read of it."""
    if data.startswith(JP2_HEAD):
        data = data[data.find(CODESTREAM_HEAD) :]
    _check(jpeg_2000_codestream(data), layout)
    return _shaped(decode_jpeg_2000(data, 0).reshape(-1), layout, is_planar=False)


def _check(stream: Codestream, layout: PixelLayout) -> None:
    """What the codec will allocate must be what the header stated and `acceptance` has allowed."""
    stated = layout.rows, layout.columns, layout.samples
    if (stream.rows, stream.columns, stream.components) != stated or stream.precision > layout.bits_allocated:
        raise refused("pixel-size")
