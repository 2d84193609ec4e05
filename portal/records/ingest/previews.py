"""Small pictures of a series: the middle cuts of a volume and its panorama, the middle frame of anything else.

They are drawn from a level of the pyramid that is small already, so a large study needs no more memory for them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image

from portal.dicom.display import DisplaySpec
from portal.dicom.geometry import Arrangement
from portal.dicom.pyramid import LevelSize
from portal.records.ingest.arch import Arch, arch_of, unrolled
from portal.records.ingest.patient_axes import Turned, in_patient_axes

VIEWS = ("axial", "coronal", "sagittal", "image", "panorama")
VOLUME_SIDE_MAX = 256
IMAGE_SIDE_MAX = 1024
QUALITY = 80


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture of a series: `index` is the place of `view` in `VIEWS`; sizes in pixels."""

    view: str
    index: int
    width: int
    height: int
    webp: bytes


class PreviewTaker:
    """Watches the pyramid go by and keeps the few frames the previews are drawn from."""

    def __init__(
        self, arrangement: Arrangement, spec: DisplaySpec, levels: list[LevelSize], modality: str = ""
    ) -> None:
        self._arrangement = arrangement
        self._modality = modality
        self._spec = spec
        self._small = _small_volume_level(levels) if arrangement.kind == "volume" else None
        self._level = self._small or _picture_level(levels)
        self._frames: dict[int, np.ndarray] = {}

    def see(self, level: int, index: int, frame: np.ndarray) -> None:
        """Keep the frame if a preview needs it."""
        if level != self._level.level:
            return
        if self._small is not None or index == self._level.frames // 2:
            self._frames[index] = frame

    def previews(self) -> Iterator[Preview]:
        """The pictures, once every frame has been seen."""
        if self._small is None:
            yield self._preview("image", self._frames[self._level.frames // 2], self._frame_spacing())
            return
        turned = self._turned()
        if (arch := self.arch) is not None:
            yield self._preview("panorama", *unrolled(arch))
        volume, (z, y, x) = turned.volume, turned.spacing
        depth, rows, columns = volume.shape
        yield self._preview("axial", volume[depth // 2], (y, x))
        yield self._preview("coronal", volume[::-1, rows // 2], (z, x))
        yield self._preview("sagittal", volume[::-1, :, columns // 2], (z, y))

    @cached_property
    def arch(self) -> Arch | None:
        """The dental arch, once every frame has been seen; None where there is none to be trusted."""
        if self._small is None:
            return None
        return arch_of(self._turned(), self._modality, self._spec)

    def _turned(self) -> Turned:
        volume = np.stack([self._frames[index] for index in range(self._level.frames)])
        return in_patient_axes(volume, self._arrangement, self._level.level)

    def _frame_spacing(self) -> tuple[float, float]:
        spacing = self._arrangement.spacing_mm
        return (spacing[1], spacing[2]) if spacing else (1.0, 1.0)

    def _preview(self, view: str, samples: np.ndarray, spacing: tuple[float, float]) -> Preview:
        picture = Image.fromarray(to_grey_levels(samples, self._spec))
        size = _size_in_millimetres(samples.shape[0], samples.shape[1], spacing)
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", quality=QUALITY)
        return Preview(view, VIEWS.index(view), picture.width, picture.height, buffer.getvalue())


def to_grey_levels(samples: np.ndarray, spec: DisplaySpec) -> np.ndarray:
    """Stored samples through the window to what a screen shows, 0 to 255; colour is shown as it is."""
    if spec.samples_per_pixel == 3:
        return np.ascontiguousarray(samples, np.uint8)
    shown = samples.astype(np.float32) * spec.slope + (spec.intercept - spec.window_center)
    shown = (shown / spec.window_width + 0.5) * 255
    return np.rint(np.clip(shown, 0, 255)).astype(np.uint8)


def _small_volume_level(levels: list[LevelSize]) -> LevelSize | None:
    """The finest level that is small enough to be kept whole; None where even the last one isn't."""
    fits = (size for size in levels if max(size.frames, size.rows, size.columns) <= VOLUME_SIDE_MAX)
    return next(fits, None)


def _picture_level(levels: list[LevelSize]) -> LevelSize:
    """The coarsest level that still fills a preview: resizing a whole panoramic picture costs more than it shows."""
    return next(
        (size for size in reversed(levels) if max(size.rows, size.columns) >= IMAGE_SIDE_MAX), levels[0]
    )


def _size_in_millimetres(rows: int, columns: int, spacing: tuple[float, float]) -> tuple[int, int]:
    """(width, height) in square pixels, the longer side as many as there are, at most 1,024."""
    height, width = rows * spacing[0], columns * spacing[1]
    longest = min(max(rows, columns), IMAGE_SIDE_MAX)
    scale = longest / max(height, width)
    return max(1, round(width * scale)), max(1, round(height * scale))
