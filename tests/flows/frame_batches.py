"""What the frame endpoint sends, taken apart by the words of its specification and by none of our code.

A batch: repeated `u32 index | u32 length | payload`, big endian. A payload (`grad-zz-split-zlib`): one zlib stream of
all planes; of a plane of 16-bit samples first all high bytes, then all low bytes, of the zigzagged residual of the
gradient predictor, modulo the samples' range.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


def items(batch: bytes) -> Iterator[tuple[int, bytes]]:
    """Index and payload of every item, in the order they came."""
    at = 0
    while at < len(batch):
        index, length = struct.unpack_from(">II", batch, at)
        yield index, batch[at + 8 : at + 8 + length]
        at += 8 + length
    assert at == len(batch), "the batch is cut short"


def decode(payload: bytes, *, rows: int, columns: int, sample_bytes: int, planes: int = 1) -> NDArray[Any]:
    """The samples of one item, (planes, rows, columns)."""
    raw = zlib.decompress(payload)
    assert len(raw) == planes * rows * columns * sample_bytes
    each = np.frombuffer(raw, np.uint8).reshape(planes, sample_bytes, rows * columns)
    return np.stack([_plane(one).reshape(rows, columns) for one in _residuals(each, rows, columns)])


def _residuals(each: NDArray[np.uint8], rows: int, columns: int) -> Iterator[NDArray[Any]]:
    for plane in each:
        kind = np.uint16 if len(plane) == 2 else np.uint8
        zigzag = plane[0].astype(kind)
        if kind is np.uint16:
            zigzag = (zigzag << 8) | plane[1]
        # 0, 1, 2, 3... stand for 0, -1, 1, -2...; in unsigned arithmetic -x is the complement plus one.
        residual = (zigzag >> 1) ^ (np.zeros_like(zigzag) - (zigzag & 1))
        yield residual.reshape(rows, columns)


def _plane(residual: NDArray[Any]) -> NDArray[Any]:
    kind = residual.dtype
    return np.cumsum(np.cumsum(residual, axis=1, dtype=kind), axis=0, dtype=kind)


def frames_of(series: dict[str, Any], level: dict[str, Any], batch: bytes) -> dict[int, NDArray[Any]]:
    """Whole frames of a batch by item index, for a level without strips: (planes, rows, columns)."""
    assert level["Strips"] == 1
    shape = {"rows": level["Rows"], "columns": level["Columns"]}
    kind = {"sample_bytes": series["sample_bytes"], "planes": series["SamplesPerPixel"]}
    return {index: decode(payload, **shape, **kind) for index, payload in items(batch)}
