"""The first look at every file: what it says of itself, whether it can be shown, and its fingerprints.

Files are opened in the confined child only. A file that isn't taken gets a sentence; one that can't be shown is
kept, listed and downloadable.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from portal.dicom.content import Buffer, Content
from portal.dicom.display import PixelDescription
from portal.dicom.headers import Header
from portal.dicom.sandbox import Sandbox
from portal.errors import IngestRefused
from portal.records.ingest.sources import Candidate, Place, Refusal, Source

PREAMBLE_BYTES = 128
ZEROED_PREAMBLE = bytes(PREAMBLE_BYTES)
# What every disc and computer adds to a folder: skipped without a word.
HARMLESS = frozenset({"dicomdir", "thumbs.db", "desktop.ini", "autorun.inf"})
HARMLESS_FOLDER = "__macosx"
# These say that the archive as a whole can't be believed; only a ZIP inside it is about the member alone.
MEMBER_CODES = frozenset({"zip-nested"})
UNREADABLE = "The picture in this file can't be read here. It is in the download."


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A file as it came and as it is stored (the preamble zeroed): lengths in bytes, hashes in hex."""

    length: int
    crc32: int
    sha256: str
    received_sha256: str


@dataclass(frozen=True, slots=True)
class Found:
    """A DICOM file that is taken. `description` is None where it can't be shown, and then `reason` says why."""

    place: Place
    name: str
    header: Header
    description: PixelDescription | None
    reason: str
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found, and what was refused."""

    found: list[Found]
    refused: list[Refusal]


def stored_pieces(content: Content) -> Iterator[Buffer]:
    """The file as it is stored: a preamble that could be a program's head is zeroed (CVE-2019-11687)."""
    return (piece for _, kept in _received_and_stored(content) for piece in kept)


def _received_and_stored(content: Content) -> Iterator[tuple[Buffer, tuple[Buffer, ...]]]:
    """Each piece as it came, and as it is stored."""
    for index, piece in enumerate(content.pieces()):
        head = memoryview(piece)[: PREAMBLE_BYTES + 4] if index == 0 else b""
        has_preamble = bytes(head[PREAMBLE_BYTES:]) == b"DICM"
        yield piece, (ZEROED_PREAMBLE, memoryview(piece)[PREAMBLE_BYTES:]) if has_preamble else (piece,)


def fingerprint(content: Content) -> Fingerprint:
    """CRC-32 and SHA-256 of the stored bytes, and SHA-256 of the received ones."""
    received, stored, crc, length = hashlib.sha256(), hashlib.sha256(), 0, 0
    for piece, kept in _received_and_stored(content):
        received.update(piece)
        length += len(piece)
        for part in kept:
            stored.update(part)
            crc = zlib.crc32(part, crc)
    return Fingerprint(length, crc, stored.hexdigest(), received.hexdigest())


def survey(source: Source, box: Sandbox, step: Callable[[], None]) -> Survey:
    """Read every file once; `step` is called after each."""
    found: list[Found] = []
    refused: list[Refusal] = []
    with ThreadPoolExecutor(1, thread_name_prefix="fingerprint") as hashing:
        for name, content in source.files():
            if isinstance(content, Refusal):
                refused.append(content)
                step()
                continue
            try:
                taken, left = _one_file(content, box, hashing, step)
            except IngestRefused as refusal:
                refused.append(Refusal(name, refusal.code, refusal.sentence))
                continue
            found += taken
            refused += left
    return Survey(found, refused)


def _one_file(
    candidates: list[Candidate], box: Sandbox, hashing: ThreadPoolExecutor, step: Callable[[], None]
) -> tuple[list[Found], list[Refusal]]:
    """The files of an archive, or the one file; raises `IngestRefused` for an archive that can't be believed."""
    taken: list[Found] = []
    left: list[Refusal] = []
    for candidate in _worth_reading(candidates):
        try:
            found = _look_at(candidate, box, hashing)
        except IngestRefused as refusal:
            if refusal.code.startswith("zip-") and refusal.code not in MEMBER_CODES:
                raise
            left.append(Refusal(candidate.name, refusal.code, refusal.sentence))
        else:
            taken += [found] if found else []
        step()
    return taken, left


def _worth_reading(candidates: list[Candidate]) -> Iterator[Candidate]:
    for candidate in candidates:
        *folders, name = candidate.name.replace("\\", "/").lower().split("/")
        if not (name in HARMLESS or name.startswith(".") or HARMLESS_FOLDER in folders):
            yield candidate


def _look_at(candidate: Candidate, box: Sandbox, hashing: ThreadPoolExecutor) -> Found | None:
    """The file as it was found; None for the table of contents of a disc."""
    data = candidate.read()
    prints = hashing.submit(fingerprint, data)
    if not data.is_in_memory:
        prints.result()  # read by one at a time; and what is damaged in a ZIP shows before a parser sees it
    header = box.read_header(data)
    if header.is_directory:
        return None
    description, reason = None, header.not_displayable_reason
    if header.displayable:
        try:
            description = box.describe_pixels(data)
        except IngestRefused:
            reason = UNREADABLE
    return Found(candidate.place, candidate.name, header, description, reason, prints.result())
