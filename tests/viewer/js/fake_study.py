"""A made-up study in the viewer's wire format: manifest, encoded items, previews and slices.

Written from the contract, apart from the product's encoder, so that the two check each other. It is numpy only and
keeps everything in memory.
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

BATCH_BYTES = 4 * 1024 * 1024
RAW_FRAME_LIMIT = 4 * 1024 * 1024
RAW_STRIP_LIMIT = 2 * 1024 * 1024


def encode_plane(plane: np.ndarray) -> bytes:
    """Encode one plane (rows x columns, u8 or u16): gradient residual, zigzag, high bytes before low bytes."""
    bits = plane.dtype.itemsize * 8
    wide = np.pad(plane.astype(np.int64), ((1, 0), (1, 0)))
    residual = (wide[1:, 1:] - wide[1:, :-1] - wide[:-1, 1:] + wide[:-1, :-1]) % (1 << bits)
    signed = np.where(residual >= 1 << (bits - 1), residual - (1 << bits), residual)
    zigzag = ((signed << 1) ^ (signed >> (bits - 1))) % (1 << bits)
    if bits == 8:
        return zigzag.astype(np.uint8).tobytes()
    return (zigzag >> 8).astype(np.uint8).tobytes() + (zigzag & 255).astype(np.uint8).tobytes()


def encode_item(strip: np.ndarray) -> bytes:
    """Encode a strip: rows x columns, or rows x columns x 3."""
    planes = np.moveaxis(strip, 2, 0) if strip.ndim == 3 else strip[None]
    return zlib.compress(b"".join(encode_plane(plane) for plane in planes), 1)


def halve(frames: np.ndarray, *, along_frames: bool) -> np.ndarray:
    """The mean of 2 x 2 (x 2) samples, rounded half up; an edge without a partner is averaged with itself."""
    axes = (0, 1, 2) if along_frames else (1, 2)
    width = [(0, size % 2 if axis in axes else 0) for axis, size in enumerate(frames.shape)]
    total = np.pad(frames, width, mode="edge").astype(np.uint32)
    for axis in axes:
        even, odd = [np.take(total, range(start, total.shape[axis], 2), axis) for start in (0, 1)]
        total = even + odd
    count = 2 ** len(axes)
    return ((total + count // 2) // count).astype(frames.dtype)


@dataclass
class FakeSeries:
    """One series: `frames` is frames x rows x columns (x 3), unsigned, in the order of the wire."""

    id: str
    title: str
    kind: str
    frames: np.ndarray
    window: tuple[float, float]
    slope: float = 1.0
    intercept: float = 0.0
    unit: str = ""
    spacing_mm: list[float] | None = None
    directions: list[list[float]] | None = None
    notices: list[str] = field(default_factory=list)
    strip_rows: int | None = None
    name: str = ""
    teeth: list[int] = field(default_factory=list)
    ruler_notice: str | None = None
    position_mm: list[float] | None = None
    arch: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        self.levels = [self.frames]
        while max(self.levels[-1].shape[:3] if self.kind == "volume" else self.levels[-1].shape[1:3]) > 64:
            if len(self.levels) == 5:
                break
            self.levels.append(halve(self.levels[-1], along_frames=self.kind == "volume"))
        self.items = [self._items(level) for level in self.levels]

    def rows_of_strip(self, level: np.ndarray) -> int:
        """Rows of a strip: the whole frame up to 4 MiB raw, else as many as stay within 2 MiB."""
        row_bytes = level[0, 0].nbytes
        rows = level.shape[1]
        if self.strip_rows and rows > self.strip_rows:
            return self.strip_rows
        return rows if rows * row_bytes <= RAW_FRAME_LIMIT else RAW_STRIP_LIMIT // row_bytes

    def _items(self, level: np.ndarray) -> list[bytes]:
        step = self.rows_of_strip(level)
        return [encode_item(frame[y : y + step]) for frame in level for y in range(0, len(frame), step)]

    def manifest(self, root: str) -> dict[str, Any]:
        """The series as the manifest tells it; `root` is the study's address."""
        count, rows, columns = self.frames.shape[:3]
        low, high = float(self.frames.min()), float(self.frames.max())
        base = f"{root}/series/{self.id}"
        views = ["axial", "coronal", "sagittal"] if self.kind == "volume" else ["image"]
        return {
            "id": self.id, "title": self.title, "Modality": "CT", "kind": self.kind,
            "codec": "grad-zz-split-zlib", "Rows": rows, "Columns": columns, "NumberOfFrames": count,
            "SamplesPerPixel": 3 if self.frames.ndim == 4 else 1, "sample_bytes": self.frames.dtype.itemsize,
            "slope": self.slope, "intercept": self.intercept,
            "value_range": [low * self.slope + self.intercept, high * self.slope + self.intercept],
            "unit": self.unit, "window": {"center": self.window[0], "width": self.window[1]},
            "spacing_mm": self.spacing_mm, "spacing_calibrated": True, "directions": self.directions,
            "levels": [self._level(i) for i in range(len(self.levels))],
            "frames": f"{base}/levels/{{level}}/frames/{{ranges}}",
            "previews": [
                {"view": view, "url": f"{base}/previews/{view}.webp", "width": 200, "height": 200} for view in views
            ],
            "slices": {"url": f"{base}/slices/{{index}}.webp", "count": count},
            "notices": self.notices, "ruler_notice": self.ruler_notice,
            "position_mm": self.position_mm, "arch": self.arch,
            "name": self.name or self.title, "teeth": self.teeth,
        }  # fmt: skip

    def _level(self, index: int) -> dict[str, Any]:
        level = self.levels[index]
        step = self.rows_of_strip(level)
        return {
            "level": index, "Frames": level.shape[0], "Rows": level.shape[1], "Columns": level.shape[2],
            "StripRows": step, "Strips": -(-level.shape[1] // step),
            "bytes": sum(map(len, self.items[index])), "spacing_mm": self.spacing_mm,
        }  # fmt: skip

    def brightness(self, samples: np.ndarray) -> np.ndarray:
        """Stored samples → 0 to 1 through the series' window."""
        centre, width = self.window
        return np.clip((samples * self.slope + self.intercept - centre) / width + 0.5, 0, 1)

    def cut(self, view: str, index: int | None = None) -> np.ndarray:
        """A cut as stored arrays lie (axial), or with the last frame on top (coronal, sagittal)."""
        volume = self.frames
        if view in ("axial", "image"):
            return volume[len(volume) // 2 if index is None else index]
        axis = 1 if view == "coronal" else 2
        return volume.take(volume.shape[axis] // 2 if index is None else index, axis)[::-1]

    def webp(self, view: str, index: int | None = None) -> bytes:
        """A cut as a WebP picture with square pixels."""
        cut = self.cut(view, index)
        grey = cut if cut.ndim == 3 else np.rint(self.brightness(cut) * 255).astype(np.uint8)
        image = Image.fromarray(grey)
        if view in ("coronal", "sagittal") and self.spacing_mm:
            z, y, x = self.spacing_mm
            across = x if view == "coronal" else y
            image = image.resize((image.width, max(1, round(image.height * z / across))))
        image.thumbnail((1024, 1024))
        out = io.BytesIO()
        image.save(out, "WEBP", quality=80)
        return out.getvalue()


def phantom(shape: tuple[int, int, int] = (75, 101, 121), *, bits: int = 12) -> np.ndarray:
    """A smooth body with a bright rod on the patient's left (high x), front (low y); odd sizes on purpose."""
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij")
    body = 900 * (x**2 + y**2 < 0.85) + 350 * z + 60 * np.sin(9 * x) * np.cos(7 * y)
    rod = 2600 * ((x - 0.5) ** 2 + (y + 0.4) ** 2 < 0.02)
    values = np.clip(400 + body + rod, 0, 4095) * (2 ** (bits - 12))
    return values.astype(np.uint16)


def phantom_series(**changes: Any) -> FakeSeries:
    """The phantom as a calibrated CT volume in the standard orientation."""
    facts: dict[str, Any] = {
        "id": "cbct", "title": "Cone-beam CT", "kind": "volume", "frames": phantom(), "window": (500, 3000),
        "intercept": -1000.0, "unit": "HU", "spacing_mm": [0.6, 0.4, 0.4],
        "directions": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    }  # fmt: skip
    return FakeSeries(**{**facts, **changes})
