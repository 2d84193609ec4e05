"""Reading hostile files: they go into a confined child process, and headers and frames come out.

    with Sandbox() as box:
        header = box.read_header(data)
        spec = unify([box.describe_pixels(data) for data in series])
        for frame in box.decode(data, spec=spec): ...

One child serves many files. Whatever happens to it is a verdict (`IngestRefused`) on the file it had, and the
next file gets a new child. A file's plain bytes lie in anonymous shared memory, never in a file: a small file whole,
a large one by the stretch the child is at, so that it costs no more memory than a small one.

Limits of a file: 30 s of processor time for a header and for each frame; memory of 1 GiB and twice the file's
own size, at most 3 GiB; by the clock 10 s for a header and 60 s for a frame, and a second more for each 64 MiB of
the file. What the child may do at all is in `confinement`.

Linux only. A `Sandbox` serves one thread: its child ends with the thread that started it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np

from portal.dicom.acceptance import MAX_SIDE
from portal.dicom.child_process import GIB, ChildGone, ChildProcess
from portal.dicom.content import Buffer, Content, content_of
from portal.dicom.display import DisplaySpec, PixelDescription
from portal.dicom.frames import DTYPES
from portal.dicom.headers import Header
from portal.dicom.verdicts import refused
from portal.dicom.wire import WrongRecord, rebuild, record_of

HEADER_S: Final = 10.0
FRAME_S: Final = 60.0
BYTES_A_SECOND: Final = 64 << 20
"""A large file may have to be gone through from end to end before its first answer."""
MAX_INPUT_BYTES: Final = 2 * GIB

Data = Buffer | Content
Answer = tuple[dict[str, Any], bytearray]
Record = TypeVar("Record", Header, PixelDescription)


@dataclass(frozen=True)
class Health:
    """How the child is confined ("seccomp", "network", "none"), and a sentence for staff when it isn't fully."""

    confinement: str
    sentence: str


SENTENCES: Final = {
    "seccomp": "",
    "network": "The image reader has no network, but this system can't restrict it further (seccomp is missing).",
    "none": "This system can't confine the image reader: neither seccomp nor network namespaces are available.",
}


class Sandbox:
    """A confined reader of DICOM files. Every failure is an `IngestRefused` with a verdict."""

    def __init__(self) -> None:
        self._child: ChildProcess | None = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child; a later call starts another."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()

    def health(self) -> Health:
        """How the child is confined on this machine."""
        try:
            confinement = self._living_child().confinement
        except ChildGone as gone:
            raise refused(gone.code) from gone
        return Health(confinement, SENTENCES.get(confinement, SENTENCES["none"]))

    def read_header(self, data: Data) -> Header:
        """What the file says of itself; raises `IngestRefused`."""
        return self._record(Header, "header", data, HEADER_S)

    def describe_pixels(self, data: Data) -> PixelDescription:
        """The range and window of the file's values, for `unify`; decodes every frame. Raises `IngestRefused`."""
        return self._record(PixelDescription, "description", data, FRAME_S)

    def decode(
        self, data: Data, *, spec: DisplaySpec | None = None, order: Sequence[int] | None = None
    ) -> Iterator[np.ndarray]:
        """The file's frames as stored samples, one at a time: rows x columns (uint8, uint16) or rows x columns x 3.

        `order`: the frames wanted, by index, in the order in which they are; without one all come in their own.
        Without a `spec` the file is a series of its own. The child waits while nobody asks for the next frame; a
        caller that stops early ends it. Raises `IngestRefused`, also after frames have been given.
        """
        stated = None if spec is None else record_of(spec)
        request = {"do": "decode", "spec": stated, "order": None if order is None else list(order)}
        for message, payload in self._answers(request, data, FRAME_S):
            if "frame" in message:
                yield _frame(message["frame"], payload)

    def _record(self, record: type[Record], key: str, data: Data, wait_s: float) -> Record:
        deed = {"header": "header", "description": "describe"}[key]
        found: Record | None = None
        for message, _ in self._answers({"do": deed}, data, wait_s):
            if key in message:
                found = rebuild(record, message[key])
        if found is None:
            raise refused("crashed")
        return found

    def _answers(self, request: dict[str, Any], data: Data, wait_s: float) -> Iterator[Answer]:
        """The answers to one request up to its end. A child that isn't at rest afterwards is replaced."""
        content = content_of(data)
        if content.length == 0:
            raise refused("empty")
        if content.length > MAX_INPUT_BYTES:
            raise refused("too-large")
        wait_s += content.length / BYTES_A_SECOND
        is_at_rest = False
        try:
            child = self._living_child()
            child.send(request, content)
            while not is_at_rest:
                message, payload = child.receive(wait_s)
                child.allow_cpu()
                is_at_rest = "refused" in message or "done" in message
                if is_at_rest:
                    child.forget()
                _raise_if_refused(message)
                yield message, payload
        except (ChildGone, WrongRecord) as gone:
            raise refused(gone.code if isinstance(gone, ChildGone) else "crashed") from gone
        finally:
            if not is_at_rest:
                self.close()

    def _living_child(self) -> ChildProcess:
        if self._child is not None and not self._child.is_alive:
            self.close()
        if self._child is None:
            self._child = ChildProcess()
        return self._child


def _raise_if_refused(message: dict[str, Any]) -> None:
    if "refused" in message:
        raise refused(str(message["refused"]))


def _frame(size: Any, payload: bytearray) -> np.ndarray:
    """The samples as an array, after checking that the size told is the size sent."""
    match size:
        case {
            "rows": int(rows),
            "columns": int(columns),
            "samples": 1 | 3 as samples,
            "sample_bytes": 1 | 2 as width,
        }:
            is_sound = 0 < rows <= MAX_SIDE and 0 < columns <= MAX_SIDE
            if is_sound and rows * columns * samples * width == len(payload):
                shape = (rows, columns) if samples == 1 else (rows, columns, samples)
                return np.frombuffer(payload, DTYPES[width]).reshape(shape)
    raise WrongRecord
