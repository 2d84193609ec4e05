"""Which files are shown together and in which order: the plan of a series, before a pixel is stored.

A DICOM series may mix what can't be one picture stack: a localizer beside the slices, eighteen tooth X-rays of two
sizes, a report. Each part becomes a series of its own here, under the same SeriesInstanceUID.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from portal.dicom.display import DisplaySpec, unify
from portal.dicom.geometry import Arrangement, arrange
from portal.dicom.headers import Plane
from portal.records.ingest.survey import Found

# Each is a picture for itself, never a slice of something.
PROJECTIONS = frozenset({"IO", "PX", "DX", "CR", "RG", "XC", "GM", "OP", "ES", "SC", "MG", "RF", "XA"})
SAME_DIRECTION = 1e-3
ALL_ALIKE: Final = "All of this picture has the same brightness, so there is nothing to see in it."


@dataclass(frozen=True, slots=True)
class FramePlace:
    """A frame of a file: positions in `SeriesPlan.files` and in the file."""

    file: int
    frame: int


@dataclass(frozen=True, slots=True)
class Shown:
    """How the frames of a series are shown: arranged in space, and in one scale of values."""

    arrangement: Arrangement
    spec: DisplaySpec
    frames: tuple[FramePlace, ...]
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class SeriesPlan:
    """A series as it will be stored: its files in order, and how it is shown (None: kept and listed only)."""

    id: UUID
    files: tuple[Found, ...]
    shown: Shown | None
    instance_ids: tuple[UUID, ...]


def plan_series(files: Sequence[Found]) -> list[SeriesPlan]:
    """Plans for the files of one SeriesInstanceUID; those that can't be shown come last, together."""
    with_picture = [file for file in files if file.description is not None]
    others = [file for file in files if file.description is None]
    plans = [_shown_plan(group) for group in _groups(with_picture)]
    if others:
        plans.append(_plan(_by_number(others), None))
    return plans


def _plan(files: Sequence[Found], shown: Shown | None) -> SeriesPlan:
    return SeriesPlan(uuid.uuid4(), tuple(files), shown, tuple(uuid.uuid4() for _ in files))


def _by_number(files: Sequence[Found]) -> list[Found]:
    return sorted(files, key=lambda file: (file.header.instance_number or 0, file.header.sop_instance_uid))


def _groups(files: Sequence[Found]) -> Iterator[list[Found]]:
    """Files that can be frames of one series: of one size, one kind of sample and one direction."""
    groups: list[list[Found]] = []
    for file in _by_number(files):
        home = (
            None if _stands_alone(file) else next((group for group in groups if _fits(file, group[0])), None)
        )
        if home is None:
            groups.append([file])
        else:
            home.append(file)
    yield from groups


def _stands_alone(file: Found) -> bool:
    return file.header.number_of_frames > 1 or file.header.modality in PROJECTIONS


def _fits(file: Found, first: Found) -> bool:
    if _stands_alone(first) or _size(file) != _size(first):
        return False
    mine, theirs = _direction(file), _direction(first)
    if mine is None or theirs is None:
        return mine is theirs
    return all(abs(a - b) < SAME_DIRECTION for a, b in zip(mine, theirs, strict=True))


def _size(file: Found) -> tuple[int, int, int]:
    samples = file.description.samples_per_pixel if file.description else 0
    return file.header.rows, file.header.columns, samples


def _direction(file: Found) -> tuple[float, ...] | None:
    plane = file.header.planes[0] if file.header.planes else Plane()
    if plane.row_direction is None or plane.column_direction is None:
        return None
    return (*plane.row_direction, *plane.column_direction)


def _shown_plan(files: list[Found]) -> SeriesPlan:
    """The files put in the order of their frames, so that the download counts as the screen does."""
    places = [FramePlace(index, frame) for index, file in enumerate(files) for frame in range(_frames(file))]
    planes = [_plane(files[place.file], place.frame) for place in places]
    spec = unify([file.description for file in files if file.description is not None])
    numbers = [_number(files, place) for place in places]
    arrangement = arrange(planes, numbers, is_colour=spec.samples_per_pixel == 3)
    if spec.value_range[0] == spec.value_range[1]:
        arrangement = replace(arrangement, notices=(*arrangement.notices, ALL_ALIKE))
    ordered = [places[index] for index in arrangement.order]
    file_order = list(dict.fromkeys(place.file for place in ordered))
    renumbered = {old: new for new, old in enumerate(file_order)}
    frames = tuple(FramePlace(renumbered[place.file], place.frame) for place in ordered)
    in_order = [files[index] for index in file_order]
    first = files[0].header
    return _plan(in_order, Shown(arrangement, spec, frames, first.rows, first.columns))


def _frames(file: Found) -> int:
    return max(1, file.header.number_of_frames)


def _plane(file: Found, frame: int) -> Plane:
    planes = file.header.planes
    return planes[frame] if frame < len(planes) else Plane()


def _number(files: list[Found], place: FramePlace) -> int | None:
    number = files[place.file].header.instance_number
    return place.frame if _frames(files[place.file]) > 1 else number
