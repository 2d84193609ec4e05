"""The frames of a series in the order they are shown, decoded in the confined child one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

import numpy as np

from portal.dicom.content import Content
from portal.dicom.sandbox import Sandbox
from portal.errors import IngestRefused
from portal.records.ingest.plan import SeriesPlan, Shown
from portal.records.ingest.survey import Found


class CannotShow(Exception):
    """A file that looked as if it could be shown and can't; it is kept and listed instead."""

    def __init__(self, file: Found) -> None:
        super().__init__("a picture that can't be shown")
        self.file = file


def frames_in_order(
    plan: SeriesPlan, shown: Shown, box: Sandbox, content_of: Callable[[int], Content]
) -> Iterator[np.ndarray]:
    """Every frame as stored samples. `content_of` gives the file at an index of the plan.

    The frames of one file are asked for in the order they are shown, so that none waits in memory for another.
    Raises `CannotShow`.
    """
    for index, places in groupby(shown.frames, key=lambda place: place.file):
        wanted = [place.frame for place in places]
        given = 0
        for frame in _decoded(plan.files[index], shown, box, content_of(index), wanted):
            given += 1
            yield frame
        if given != len(wanted):
            raise CannotShow(plan.files[index])


def _decoded(
    file: Found, shown: Shown, box: Sandbox, content: Content, wanted: list[int]
) -> Iterator[np.ndarray]:
    dtype = np.dtype(np.uint8 if shown.spec.sample_bytes == 1 else np.uint16)
    try:
        for frame in box.decode(content, spec=shown.spec, order=wanted):
            if frame.shape[:2] != (shown.rows, shown.columns) or frame.dtype != dtype:
                raise CannotShow(file)
            yield frame
    except IngestRefused:
        raise CannotShow(file) from None
