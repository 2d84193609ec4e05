"""The frames of a series in the order they are shown, decoded in the confined child one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

import numpy as np

from portal.dicom.frames import decode_item, encode_item
from portal.dicom.sandbox import Data, Sandbox
from portal.errors import IngestRefused
from portal.records.ingest.plan import SeriesPlan, Shown
from portal.records.ingest.survey import Found


class CannotShow(Exception):
    """A file that looked as if it could be shown and can't; it is kept and listed instead."""

    def __init__(self, file: Found) -> None:
        super().__init__("a picture that can't be shown")
        self.file = file


def frames_in_order(
    plan: SeriesPlan, shown: Shown, box: Sandbox, data_of: Callable[[int], Data]
) -> Iterator[np.ndarray]:
    """Every frame as stored samples. `data_of` gives the bytes of the file at an index of the plan.

    Raises `CannotShow`.
    """
    for index, places in groupby(shown.frames, key=lambda place: place.file):
        wanted = [place.frame for place in places]
        decoded = _decoded(plan.files[index], shown, box, data_of(index))
        yield from _reordered(decoded, wanted, shown, plan.files[index])


def _decoded(file: Found, shown: Shown, box: Sandbox, data: Data) -> Iterator[np.ndarray]:
    dtype = np.dtype(np.uint8 if shown.spec.sample_bytes == 1 else np.uint16)
    try:
        for frame in box.decode(data, spec=shown.spec):
            if frame.shape[:2] != (shown.rows, shown.columns) or frame.dtype != dtype:
                raise CannotShow(file)
            yield frame
    except IngestRefused:
        raise CannotShow(file) from None


def _reordered(
    decoded: Iterator[np.ndarray], wanted: list[int], shown: Shown, file: Found
) -> Iterator[np.ndarray]:
    """The wanted frames in their order, of a file that gives all of its frames in its own.

    Most files are in order already. Frames that come too early wait packed, as the codec leaves them.
    """
    waiting: dict[int, bytes] = {}
    expected = iter(wanted)
    due = next(expected, None)
    for number, frame in enumerate(decoded):
        if number != due:
            waiting[number] = encode_item(frame, shown.spec.sample_bytes)
            continue
        yield frame
        due = next(expected, None)
        while due is not None and due in waiting:
            yield _unpacked(waiting.pop(due), shown)
            due = next(expected, None)
    while due is not None and due in waiting:
        yield _unpacked(waiting.pop(due), shown)
        due = next(expected, None)
    if due is not None:
        raise CannotShow(file)


def _unpacked(item: bytes, shown: Shown) -> np.ndarray:
    spec = shown.spec
    return decode_item(item, shown.rows, shown.columns, spec.samples_per_pixel, spec.sample_bytes)
