"""Colour pictures to RGB of 8 bits: palettes, YBR and 16-bit colours. Runs in the confined child.

Source: DICOM PS3.3 C.7.6.3.1.2 (photometric interpretation), C.7.9 (palettes).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from pydicom.dataset import Dataset

from portal.dicom.acceptance import PixelLayout
from portal.dicom.elements import numbers
from portal.dicom.grading import codes_to_values, lut_entries
from portal.dicom.syntaxes import JPEG, Syntax
from portal.dicom.verdicts import refused

BY_LIBJPEG: Final = (JPEG + "50", JPEG + "51")


def palette_of(dataset: Dataset, layout: PixelLayout) -> np.ndarray:
    """The colour of every code: codes x 3, uint8; raises `IngestRefused("unsupported")` without a plain palette."""
    return np.stack([_channel(dataset, name, layout) for name in ("Red", "Green", "Blue")], axis=1)


def _channel(dataset: Dataset, name: str, layout: PixelLayout) -> np.ndarray:
    descriptor = numbers(dataset, f"{name}PaletteColorLookupTableDescriptor")
    keyword = f"{name}PaletteColorLookupTableData"
    entries = lut_entries(dataset, keyword, int(descriptor[0])) if len(descriptor) == 3 else None
    if entries is None:
        raise refused("unsupported")
    # Some writers state 16 bits and use 8: then the low byte is the colour.
    is_wide = descriptor[2] > 8 and int(entries.max()) > 0xFF
    colours = (entries >> 8 if is_wide else entries).astype(np.uint8)
    index = np.clip(codes_to_values(layout) - descriptor[1], 0, colours.size - 1).astype(np.intp)
    return colours[index]


def to_rgb(samples: np.ndarray, layout: PixelLayout, syntax: Syntax) -> np.ndarray:
    """Rows x columns x 3, uint8, from what the codec gave."""
    eight = _to_8_bit(samples, layout.bits_stored)
    is_rgb = _is_rgb(layout.photometric_interpretation, syntax)
    return np.ascontiguousarray(eight if is_rgb else _from_ybr(eight))


def _is_rgb(kind: str, syntax: Syntax) -> bool:
    """Stored as RGB, or turned into it by the codec: by libjpeg's own rule, or as part of JPEG 2000."""
    if syntax.family == "jpeg-2000" and kind in ("YBR_ICT", "YBR_RCT"):
        return True
    return kind == "RGB" or syntax.uid in BY_LIBJPEG


def _to_8_bit(samples: np.ndarray, bits: int) -> np.ndarray:
    if bits > 8:
        return (samples >> (bits - 8)).astype(np.uint8)
    return samples.astype(np.uint8) << (8 - bits)


def _from_ybr(samples: np.ndarray) -> np.ndarray:
    """YBR_FULL to RGB, the inverse of the equations of C.7.6.3.1.2."""
    luma, blue, red = (samples[:, :, plane].astype(np.float32) for plane in range(3))
    blue, red = blue - 128, red - 128
    channels = luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue
    return np.stack([np.clip(np.rint(channel), 0, 255).astype(np.uint8) for channel in channels], axis=2)
