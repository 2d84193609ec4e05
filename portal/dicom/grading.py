"""From raw samples to shown values: every transformation of a grey picture as one table over its codes.

Runs in the confined child. A sample of up to 16 bits has at most 65,536 codes, so sign, rescale, modality LUT,
VOI LUT, sigmoid and inversion are worked out once per code, and a frame costs one look-up.

HU are kept as HU: a CT's window stays a window. Elsewhere a VOI LUT or sigmoid is baked into the shown values.

Source: DICOM PS3.3 C.7.6.3.1, C.11.1 (modality), C.11.2 (VOI), C.11.6 (presentation), C.7.6.16.2.9-10.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from pydicom.dataset import Dataset

from portal.dicom.acceptance import PixelLayout
from portal.dicom.elements import integer, items, number, numbers, text
from portal.dicom.planes import groups_of, in_groups, shared_groups

SIGMOID_MAXIMUM: Final = 4095.0
"""A sigmoid is shown in 4,096 steps, more than any screen has."""
GRADINGS_KEPT: Final = 8
"""Each takes 512 KiB, and as much again where it is counted."""


@dataclass(frozen=True)
class Grading:
    """The shown value of every code. `step` lies between neighbouring values; the window is as in the manifest."""

    shown: np.ndarray
    step: float
    unit: str = ""
    window: tuple[float, float] | None = None
    padding: tuple[int, ...] = ()
    """Codes that stand for "no picture here"; they don't count for the window."""


class Gradings:
    """The grading of each frame, made when it is asked for: a file may have one for each of 20,000 frames.

    `kinds[index]` is the first frame that is graded like the one at `index`.
    """

    def __init__(self, dataset: Dataset, layout: PixelLayout) -> None:
        groups = _groups(dataset, layout.frames)
        first: dict[tuple[float | str | None, ...], int] = {}
        self.kinds = [first.setdefault(_told(some), index) for index, some in enumerate(groups)]
        self.of_kind = lru_cache(GRADINGS_KEPT)(lambda kind: _grading(groups[kind], layout))


def _groups(dataset: Dataset, frames: int) -> list[list[Dataset]]:
    """The groups that speak for each frame, and last the data set itself."""
    per_frame = [[*groups, dataset] for groups in groups_of(dataset)]
    return per_frame if len(per_frame) == frames else [[*shared_groups(dataset), dataset]] * frames


def _told(groups: list[Dataset]) -> tuple[float | str | None, ...]:
    """All that a frame's groups say of its grading, apart from what the file says of the whole."""
    rescale = in_groups(groups, "PixelValueTransformationSequence") or groups[-1]
    voi = in_groups(groups, "FrameVOILUTSequence") or groups[-1]
    keys = (
        (rescale, "RescaleSlope"),
        (rescale, "RescaleIntercept"),
        (voi, "WindowCenter"),
        (voi, "WindowWidth"),
    )
    words = text(rescale, "RescaleType"), text(voi, "VOILUTFunction")
    return (*(number(source, keyword) for source, keyword in keys), *words)


def _grading(groups: list[Dataset], layout: PixelLayout) -> Grading:
    dataset = groups[-1]
    voi = in_groups(groups, "FrameVOILUTSequence") or dataset
    grading = _through_modality(groups, layout)
    grading = replace(grading, padding=_padding(dataset, layout))
    grading = _through_voi(grading, voi)
    if _is_inverted(dataset, layout):
        grading = _inverted(grading)
    return grading


def codes_to_values(layout: PixelLayout) -> np.ndarray:
    """The number each code stands for: itself, or two's complement of `bits_stored` bits."""
    values = np.arange(1 << layout.bits_stored, dtype=np.float64)
    if layout.is_signed:
        values[values.size // 2 :] -= values.size
    return values


def _through_modality(groups: list[Dataset], layout: PixelLayout) -> Grading:
    values = codes_to_values(layout)
    lut = _lut(groups[-1], "ModalityLUTSequence", layout)
    if lut is not None:
        return Grading(lut.through(values), 1.0)
    rescale = in_groups(groups, "PixelValueTransformationSequence") or groups[-1]
    slope, intercept = number(rescale, "RescaleSlope"), number(rescale, "RescaleIntercept")
    slope = 1.0 if slope is None or slope == 0 else slope
    unit = _unit(groups[-1], rescale) if intercept is not None else ""
    return Grading(values * slope + (intercept or 0.0), abs(slope), unit)


def _unit(dataset: Dataset, rescale: Dataset) -> str:
    """HU is what a CT's rescale gives when it says so, or says nothing (C.11.1.1.2)."""
    stated = text(rescale, "RescaleType")
    return "HU" if stated == "HU" or (not stated and text(dataset, "Modality") == "CT") else ""


def _through_voi(grading: Grading, voi: Dataset) -> Grading:
    lut = _lut(voi, "VOILUTSequence", None)
    if lut is not None and grading.unit != "HU":
        return replace(grading, shown=lut.through(grading.shown), step=1.0, window=_whole(lut.maximum))
    center, width = number(voi, "WindowCenter"), number(voi, "WindowWidth")
    if center is None or width is None or width <= 0:
        return grading
    function = text(voi, "VOILUTFunction") or "LINEAR"
    if function == "SIGMOID" and grading.unit != "HU":
        curve = SIGMOID_MAXIMUM / (1 + np.exp(np.clip(-4 * (grading.shown - center) / width, -60, 60)))
        return replace(grading, shown=np.rint(curve), step=1.0, window=_whole(SIGMOID_MAXIMUM))
    if function == "LINEAR" and grading.unit != "HU" and width > 1:
        center, width = center - 0.5, width - 1  # C.11.2.1.2.1; half a unit matters for 8 bits, not for HU
    return replace(grading, window=(center, width))


def _whole(maximum: float) -> tuple[float, float]:
    """The window that shows 0 as black and `maximum` as white."""
    return maximum / 2, max(maximum, 1.0)


def _is_inverted(dataset: Dataset, layout: PixelLayout) -> bool:
    """MONOCHROME1 and the shape INVERSE state the same thing, alone or together (C.11.6.1.2)."""
    return (
        layout.photometric_interpretation == "MONOCHROME1"
        or text(dataset, "PresentationLUTShape") == "INVERSE"
    )


def _inverted(grading: Grading) -> Grading:
    """Turned over inside its own range, so that a bigger value is brighter."""
    total = float(grading.shown.min() + grading.shown.max())
    window = None if grading.window is None else (total - grading.window[0], grading.window[1])
    return replace(grading, shown=total - grading.shown, window=window)


def _padding(dataset: Dataset, layout: PixelLayout) -> tuple[int, ...]:
    """The codes of padding (C.7.5.1.1.2); a range of them has a limit of its own."""
    first, limit = integer(dataset, "PixelPaddingValue"), integer(dataset, "PixelPaddingRangeLimit")
    if first is None:
        return ()
    low, high = sorted((first, first if limit is None else limit))
    values = codes_to_values(layout)
    mask = (1 << layout.bits_stored) - 1
    return tuple(np.flatnonzero((values >= low) & (values <= high)).tolist()) or (first & mask,)


@dataclass(frozen=True)
class _Lut:
    """A look-up table: `outputs[value - first]`, clamped at both ends."""

    first: float
    outputs: np.ndarray
    maximum: float

    def through(self, values: np.ndarray) -> np.ndarray:
        """The output for each value."""
        index = np.clip(np.rint(values) - self.first, 0, self.outputs.size - 1).astype(np.intp)
        return self.outputs[index]


def _lut(dataset: Dataset, sequence: str, layout: PixelLayout | None) -> _Lut | None:
    """The table of `sequence`, or None if there is none that holds together (C.11.1.1, C.11.2.1.1)."""
    for item in items(dataset, sequence)[:1]:
        descriptor = numbers(item, "LUTDescriptor")
        if len(descriptor) != 3:
            return None
        outputs = lut_entries(item, "LUTData", int(descriptor[0]))
        if outputs is None:
            return None
        first = descriptor[1]
        if layout is not None and layout.is_signed and first >= 1 << 15:
            first -= 1 << 16
        bits = min(max(int(descriptor[2]), 1), 16)
        return _Lut(first, outputs.astype(np.float64), max(float((1 << bits) - 1), float(outputs.max())))
    return None


def lut_entries(dataset: Dataset, keyword: str, stated: int) -> np.ndarray | None:
    """The entries of a table, written as words or packed bytes; 0 stands for 65,536. None if too few are there."""
    count = stated or 1 << 16
    data = dataset.get(keyword)
    if isinstance(data, bytes):
        is_packed = len(data) in (count, count + 1) and count > 1
        dtype = "u1" if is_packed else "<u2" if dataset.original_encoding[1] is not False else ">u2"
        entries = np.frombuffer(
            data[: len(data) // np.dtype(dtype).itemsize * np.dtype(dtype).itemsize], dtype
        )
    else:
        entries = np.array([int(value) & 0xFFFF for value in numbers(dataset, keyword)], np.uint16)
    return entries[:count] if 0 < count <= entries.size else None
