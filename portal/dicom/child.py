"""The confined child: takes one file after another and answers with a header, a description or frames.

Started by `sandbox` as its own process: it imports what it will need, gives up its rights (`confinement`), and
only then reads the first file. It imports no Django, has no secret in its environment, and writes nothing but
answers: pydicom's log and warnings are off, and what C libraries print goes nowhere.

    request     {"do": "header" | "describe" | "decode", "length": bytes of the file, "lent": bytes lent at once,
                 "spec": null | {...}, "order": null | [frame indices]}
    answer      {"header": {...}} · {"description": {...}} · {"frame": {...}} ‖ samples · {"alive": true}
                {"done": true} · {"refused": code}
    between     {"want": [start, stop]}, to which the parent says {"lent": bytes}

The file lies in shared memory, which the child can only read: a small one whole, of a large one a stretch at a time.
"""

from __future__ import annotations

import codecs
import json
import mmap
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from pydicom.charset import python_encoding

from portal.dicom.confinement import confine, die_with_parent
from portal.dicom.display import DisplaySpec
from portal.dicom.elements import silence_pydicom
from portal.dicom.header_reader import read_header
from portal.dicom.part10 import Bytes
from portal.dicom.pixel_data import Picture
from portal.dicom.window import Window
from portal.dicom.wire import HEAD, pack, rebuild, record_of
from portal.errors import IngestRefused

MAX_RECURSION: Final = 400
"""Frames of Python; about 60 sequences inside each other, where PS3.3 knows none deeper than 10."""

Answer = tuple[dict[str, Any], np.ndarray | None]


def main(input_fd: int, parent_pid: int) -> None:
    """Serve files until the parent closes its end."""
    die_with_parent(parent_pid)
    answers_fd = _keep_stdout()
    silence_pydicom()
    _import_encodings()
    sys.setrecursionlimit(MAX_RECURSION)
    confinement = confine()
    _send(answers_fd, {"ready": confinement}, None)
    while (request := _receive()) is not None:
        for message, payload in _answers(request, input_fd, answers_fd):
            _send(answers_fd, message, payload)


def _keep_stdout() -> int:
    """Answers get a descriptor of their own; whatever a C library prints is dropped."""
    answers_fd = os.dup(1)
    os.dup2(2, 1)
    return answers_fd


def _import_encodings() -> None:
    """Character sets are imported when first used, which is too late once files can't be opened."""
    for encoding in {*python_encoding.values(), "utf-8", "latin-1", "ascii", "unicode_escape"}:
        codecs.decode(b" ", encoding)


def _receive() -> dict[str, Any] | None:
    head = _read_exactly(HEAD.size)
    if head is None:
        return None
    length, _ = HEAD.unpack(head)
    text = _read_exactly(length)
    return None if text is None else json.loads(text)


def _read_exactly(length: int) -> bytes | None:
    pieces = []
    while length:
        piece = os.read(0, length)
        if not piece:
            return None
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


def _send(fd: int, message: dict[str, Any], payload: np.ndarray | None) -> None:
    samples = memoryview(b"") if payload is None else np.ascontiguousarray(payload).data.cast("B")
    for part in (memoryview(pack(message, len(samples))), samples):
        while part:
            part = part[os.write(fd, part) :]


def _answers(request: dict[str, Any], input_fd: int, answers_fd: int) -> Iterator[Answer]:
    """All answers to one request; the last one is a verdict or the result, whatever happens in between."""
    deed, fallback = DEEDS[request["do"]]
    try:
        with _opened(request, input_fd, answers_fd) as data:
            yield from deed(data, request)
    except IngestRefused as refusal:
        yield {"refused": refusal.code}, None
    except RecursionError:
        yield {"refused": "too-deep"}, None
    except MemoryError:
        yield {"refused": "memory"}, None
    except EOFError:
        yield {"refused": "truncated"}, None
    except Exception:  # 20,000 mutants raised 8 kinds of error in pydicom: each is a verdict
        yield {"refused": fallback}, None


@contextmanager
def _opened(request: dict[str, Any], input_fd: int, answers_fd: int) -> Iterator[Bytes]:
    """The file: mapped if all of it was lent, else a window on it."""
    if request["lent"] == request["length"]:
        with mmap.mmap(input_fd, request["length"], prot=mmap.PROT_READ) as data:
            yield data
        return

    def ask(start: int, stop: int) -> None:
        _send(answers_fd, {"want": [start, stop]}, None)
        if _receive() is None:
            raise EOFError

    yield Window(request["length"], input_fd, ask)


def _header(data: Bytes, request: dict[str, Any]) -> Iterator[Answer]:
    yield {"header": record_of(read_header(data))}, None
    yield {"done": True}, None


def _describe(data: Bytes, request: dict[str, Any]) -> Iterator[Answer]:
    for description in Picture(data).describe():
        yield ({"alive": True} if description is None else {"description": record_of(description)}), None
    yield {"done": True}, None


def _decode(data: Bytes, request: dict[str, Any]) -> Iterator[Answer]:
    spec = None if request["spec"] is None else rebuild(DisplaySpec, request["spec"])
    for frame in Picture(data).frames(spec, request["order"]):
        samples = frame.shape[2] if frame.ndim == 3 else 1
        size = {
            "rows": frame.shape[0],
            "columns": frame.shape[1],
            "samples": samples,
            "sample_bytes": frame.itemsize,
        }
        yield {"frame": size}, frame
    yield {"done": True}, None


DEEDS: Final[dict[str, tuple[Callable[[Bytes, dict[str, Any]], Iterator[Answer]], str]]] = {
    "header": (_header, "bad-header"),
    "describe": (_describe, "bad-pixels"),
    "decode": (_decode, "bad-pixels"),
}
"""Each deed, and the verdict when it fails in a way of its own."""
