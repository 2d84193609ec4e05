"""Writing a series: its originals, byte for byte, and what the viewer shows of them.

One file is read, sealed, decoded and encoded at a time, with a few frames on their way between the threads: a study
of 800 MB needs no more memory than one of 80, whether it is one file or many.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from portal.dicom.content import Content
from portal.dicom.frames import encode_item
from portal.dicom.pyramid import LevelSize, PyramidBuilder, level_sizes
from portal.dicom.sandbox import Sandbox
from portal.records.ingest.frames import frames_in_order
from portal.records.ingest.plan import SeriesPlan, Shown
from portal.records.ingest.previews import Preview, PreviewTaker
from portal.records.ingest.sources import Source
from portal.records.ingest.survey import stored_pieces
from portal.records.ingest.tags import tags_of
from portal.records.ingest.writer import PackOfStudy, StudyWriter

ITEMS_ON_THE_WAY = 6


@dataclass(slots=True)
class WrittenSeries:
    """A series whose packs are on the disk, not yet visible. `level_bytes` are those of the encoded items."""

    plan: SeriesPlan
    levels: list[LevelSize] = field(default_factory=list)
    level_bytes: list[int] = field(default_factory=list)
    previews: list[Preview] = field(default_factory=list)
    arch: dict[str, Any] | None = None

    @property
    def length_bytes(self) -> int:
        """Bytes of the originals."""
        return sum(file.fingerprint.length for file in self.plan.files)


class SeriesWriter:
    """Writes the series of one study, with one confined child and a few threads for what releases the GIL."""

    def __init__(
        self,
        study: StudyWriter,
        source: Source,
        box: Sandbox,
        pool: ThreadPoolExecutor,
        step: Callable[[], None],
    ) -> None:
        self._study, self._source, self._box, self._pool, self._step = study, source, box, pool, step

    def write(self, plan: SeriesPlan) -> WrittenSeries:
        """Seal one series. Raises `CannotShow` for a file that must be planned anew; then nothing is left."""
        written = WrittenSeries(plan)
        with ExitStack() as packs:
            originals = packs.enter_context(self._study.new_pack())
            files = _FilesInTurn(plan, self._source, self._pool, originals, self._step)
            if plan.shown is None:
                files.run_to_the_end()
            else:
                view = packs.enter_context(self._study.new_pack())
                self._write_view(plan, plan.shown, files.content, view, written)
                files.run_to_the_end()
            originals.add_json(tags_of(plan), kind="tags", series=plan.id)
            originals.commit()
            if plan.shown is not None:
                view.commit()
        return written

    def _write_view(
        self,
        plan: SeriesPlan,
        shown: Shown,
        content_of: Callable[[int], Content],
        view: PackOfStudy,
        written: WrittenSeries,
    ) -> None:
        kind, spec, count = shown.arrangement.kind, shown.spec, len(shown.frames)
        size = (kind, shown.rows, shown.columns, count, spec.samples_per_pixel)
        written.levels = level_sizes(*size, spec.sample_bytes)
        written.level_bytes = [0] * len(written.levels)
        builder = PyramidBuilder(*size)
        taker = PreviewTaker(shown.arrangement, spec, written.levels, plan.files[0].header.modality)
        items = _Items(plan, spec.sample_bytes, self._pool, view, written)
        for frame in frames_in_order(plan, shown, self._box, content_of):
            for level, index, pixels in builder.push(frame):
                taker.see(level, index, pixels)
                items.add(level, index, pixels)
        builder.finish()
        items.finish()
        for preview in taker.previews():
            view.add([preview.webp], len(preview.webp), kind="preview", series=plan.id, index=preview.index)
            written.previews.append(preview)
        written.arch = taker.arch.document if taker.arch else None


class _FilesInTurn:
    """Takes the files of a series in order and seals each original as it passes; small ones are read one ahead."""

    def __init__(
        self,
        plan: SeriesPlan,
        source: Source,
        pool: ThreadPoolExecutor,
        originals: PackOfStudy,
        step: Callable[[], None],
    ) -> None:
        self._plan, self._source, self._pool, self._originals, self._step = (
            plan,
            source,
            pool,
            originals,
            step,
        )
        self._ahead: Future[Content] | None = None
        self._next = 0

    def content(self, index: int) -> Content:
        """The file at `index`, which is the next one: a plan's files are in the order of its frames."""
        if index != self._next:
            raise ValueError("The files of a series are read in order.")
        return self._pass()

    def run_to_the_end(self) -> None:
        """Seal what is left."""
        while self._next < len(self._plan.files):
            self._pass()

    def _pass(self) -> Content:
        content = (self._ahead or self._read(self._next)).result()
        index, self._next = self._next, self._next + 1
        # A large file goes on being read while it is decoded, and members of a ZIP share one file.
        may_read_ahead = content.is_in_memory and self._next < len(self._plan.files)
        self._ahead = self._read(self._next) if may_read_ahead else None
        self._seal(index, content)
        self._step()
        return content

    def _read(self, index: int) -> Future[Content]:
        return self._pool.submit(self._source.opener(self._plan.files[index].place))

    def _seal(self, index: int, content: Content) -> None:
        prints = self._plan.files[index].fingerprint
        self._originals.add(
            stored_pieces(content),
            prints.length,
            kind="original",
            series=self._plan.id,
            instance=self._plan.instance_ids[index],
            crc32=prints.crc32,
            sha256=prints.sha256,
            received_sha256=prints.received_sha256,
            position=index,
        )


class _Items:
    """Encodes strips in threads and seals them in order."""

    def __init__(
        self,
        plan: SeriesPlan,
        sample_bytes: int,
        pool: ThreadPoolExecutor,
        view: PackOfStudy,
        written: WrittenSeries,
    ) -> None:
        self._plan, self._sample_bytes, self._pool, self._view, self._written = (
            plan,
            sample_bytes,
            pool,
            view,
            written,
        )
        self._on_the_way: deque[tuple[int, int, Future[bytes]]] = deque()

    def add(self, level: int, frame: int, pixels: np.ndarray) -> None:
        """Take one frame of a level."""
        size = self._written.levels[level]
        for strip, rows in enumerate(_strips(pixels, size)):
            encoded = self._pool.submit(encode_item, rows, self._sample_bytes)
            self._on_the_way.append((level, frame * size.strips + strip, encoded))
            if len(self._on_the_way) >= ITEMS_ON_THE_WAY:
                self._seal_first()

    def finish(self) -> None:
        """Seal what is still on its way."""
        while self._on_the_way:
            self._seal_first()

    def _seal_first(self) -> None:
        level, item, encoded = self._on_the_way.popleft()
        payload = encoded.result()
        self._written.level_bytes[level] += len(payload)
        self._view.add([payload], len(payload), kind="frame", series=self._plan.id, index=item, level=level)


def _strips(pixels: np.ndarray, size: LevelSize) -> Iterator[np.ndarray]:
    for start in range(0, size.rows, size.strip_rows):
        yield pixels[start : start + size.strip_rows]
