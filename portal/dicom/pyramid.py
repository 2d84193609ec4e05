"""The pyramid of a series: each level is the mean of the one before, built while frames stream by.

A volume halves in all three directions (2 x 2 x 2 mean), a stack and an image in two. Means are rounded half
up; an edge without a partner is averaged with itself. Memory is flat: a level keeps one half-size sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from portal.dicom.frames import strips_for

Kind = Literal["volume", "stack", "image"]

SMALLEST_SIDE: Final = 64
MAX_LEVELS: Final = 5


@dataclass(frozen=True)
class LevelSize:
    """One level of the pyramid; level 0 is the full resolution."""

    level: int
    frames: int
    rows: int
    columns: int
    strip_rows: int
    strips: int


def level_sizes(
    kind: Kind, rows: int, columns: int, frames: int, samples: int, sample_bytes: int
) -> list[LevelSize]:
    """The levels of a series, full size first, until the longest side is 64 or there are five."""
    sizes: list[LevelSize] = []
    for level in range(MAX_LEVELS):
        sizes.append(
            LevelSize(level, frames, rows, columns, *strips_for(rows, columns, samples, sample_bytes))
        )
        if max(rows, columns, frames if kind == "volume" else 0) <= SMALLEST_SIDE:
            break
        rows, columns = _half(rows), _half(columns)
        frames = _half(frames) if kind == "volume" else frames
    return sizes


class PyramidBuilder:
    """Takes the frames of a series in order and gives each level's frames as soon as they are complete.

    builder = PyramidBuilder("volume", rows, columns, frames, samples)
    for frame in frames:
        for level, index, pixels in builder.push(frame): ...
    builder.finish()
    """

    def __init__(self, kind: Kind, rows: int, columns: int, frames: int, samples: int = 1) -> None:
        self._shape = (rows, columns) if samples == 1 else (rows, columns, samples)
        self._frames = frames
        self._pushed = 0
        self._is_volume = kind == "volume"
        steps = len(level_sizes(kind, rows, columns, frames, samples, 1)) - 1
        self._halvers = [_Halver(self._is_volume) for _ in range(steps)]

    def push(self, frame: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
        """Give (level, index in that level, pixels) of every frame that this one completes, level 0 first."""
        if frame.shape != self._shape or self._pushed >= self._frames:
            raise ValueError("The frame does not belong to this pyramid.")
        index, self._pushed = self._pushed, self._pushed + 1
        is_last = self._pushed == self._frames
        yield 0, index, frame
        current = frame
        for level, halver in enumerate(self._halvers, start=1):
            halved = halver.take(current, is_last)
            if halved is None:
                return
            current = halved
            index = index // 2 if self._is_volume else index
            yield level, index, current

    def finish(self) -> None:
        """Raise `ValueError` if a frame is missing; every level is complete otherwise."""
        if self._pushed != self._frames:
            raise ValueError("The series has fewer frames than it stated.")


class _Halver:
    """One step down; in a volume it waits for the second frame of a pair."""

    def __init__(self, is_volume: bool) -> None:
        self._is_volume = is_volume
        self._first: np.ndarray | None = None

    def take(self, frame: np.ndarray, is_last: bool) -> np.ndarray | None:
        """The mean of the pair, or None while the second frame is awaited."""
        sums = _sums_of_four(frame)
        if not self._is_volume:
            return ((sums + 2) >> 2).astype(frame.dtype)
        if self._first is None and not is_last:
            self._first = sums
            return None
        first, self._first = (sums if self._first is None else self._first), None
        return ((first + sums + 4) >> 3).astype(frame.dtype)


def _sums_of_four(frame: np.ndarray) -> np.ndarray:
    """Sums of 2 x 2 pixels as uint32; an odd last row or column counts twice."""
    even = _even(_even(frame, 0), 1)
    pairs = np.add(even[0::2], even[1::2], dtype=np.uint32)
    sums: np.ndarray = pairs[:, 0::2] + pairs[:, 1::2]
    return sums


def _even(frame: np.ndarray, axis: int) -> np.ndarray:
    if frame.shape[axis] % 2 == 0:
        return frame
    return np.concatenate((frame, frame.take([-1], axis=axis)), axis=axis)


def _half(length: int) -> int:
    return (length + 1) // 2
