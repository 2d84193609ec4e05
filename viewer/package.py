"""What a download of a study holds: the originals, a DICOMDIR, checksums and a README, laid out as one archive.

The layout, with its ETag, is kept for a few studies, so that a range of a download doesn't build it anew.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from portal.vault.header import CHUNK_BYTES
from portal.vault.manifest import Entry
from sharing.access import Grant
from sharing.remembered import Recent
from viewer.dicomdir import ListedFile, build_dicomdir
from viewer.readme import readme
from viewer.stored import StoredStudy
from viewer.stored_zip import StoredZip, ZipFile

LAYOUT_VERSION: Final = "1"
PACKAGES_KEPT: Final = 8  # about 700 bytes a file: the DICOMDIR and the headers


@dataclass(frozen=True, slots=True)
class Original:
    """A stored file and its place in the archive: `DICOM/S0001/I0000001`, 8.3 names in upper case."""

    path: tuple[str, ...]
    entry: Entry

    @property
    def name(self) -> str:
        return "/".join(self.path)


@dataclass(frozen=True, slots=True)
class Package:
    """A download, ready to be cut anywhere. `etag` has its quotes and changes with any byte of the archive."""

    stored: StoredStudy
    contents: tuple[bytes | Entry, ...]
    layout: StoredZip
    etag: str

    @property
    def length(self) -> int:
        """Bytes in all."""
        return self.layout.length

    def read(self, start: int, stop: int) -> Iterator[bytes | memoryview]:
        """Bytes `start` to `stop` (exclusive), in verified pieces of at most 256 KiB."""
        for piece in self.layout.cut(start, stop):
            if isinstance(piece, bytes):
                yield from _in_chunks(piece)
                continue
            content = self.contents[piece.file]
            if isinstance(content, bytes):
                yield from _in_chunks(content[piece.start : piece.stop])
            else:
                yield from self.stored.read_stretch(content, piece.start, piece.stop)


def _in_chunks(content: bytes) -> Iterator[bytes]:
    return (content[at : at + CHUNK_BYTES] for at in range(0, len(content), CHUNK_BYTES))


_packages: Recent[tuple[str, frozenset[UUID] | None, bytes], Package] = Recent(PACKAGES_KEPT)


def package_of(grant: Grant, stored: StoredStudy) -> Package:
    """The download that this grant allows. Raises VaultDamaged."""
    words = readme(grant)
    name = (stored.manifest_sha256, grant.series, words)
    known = _packages.get(name)
    if known is None:
        known = _build(grant, stored, words)
        _packages.put(name, known)
    return known


def _build(grant: Grant, stored: StoredStudy, words: bytes) -> Package:
    originals = list(_originals(grant, stored))
    scope = ",".join(sorted(map(str, grant.series))) if grant.series is not None else "all"
    directory = build_dicomdir(list(_listed(stored, originals)), key=f"{stored.manifest_sha256} {scope}")
    small = {"README.txt": words, "DICOMDIR": directory}
    sums = _checksums(small, originals)
    small["MANIFEST.sha256"] = sums
    files = [ZipFile(name, len(content), zlib.crc32(content)) for name, content in small.items()]
    files += [ZipFile(file.name, file.entry.length, file.entry.extra["crc32"]) for file in originals]
    contents: tuple[bytes | Entry, ...] = (*small.values(), *(file.entry for file in originals))
    layout = StoredZip(files, modified_at=grant.study.created_at)
    return Package(stored, contents, layout, _etag(sums, layout))


def _originals(grant: Grant, stored: StoredStudy) -> Iterator[Original]:
    """The grant's files: shown series first, in the study's order, then the rest; files as the screen counts them."""
    by_series: dict[UUID, list[Entry]] = {series: [] for series in stored.series}
    for entry in stored.manifest.select(kind="original"):
        by_series.setdefault(entry.series, []).append(entry)
    granted = [entries for series, entries in by_series.items() if entries and grant.allows(series)]
    for number, entries in enumerate(granted, start=1):
        ordered = sorted(entries, key=lambda entry: (entry.extra["position"], entry.instance.int))
        for position, entry in enumerate(ordered, start=1):
            yield Original(("DICOM", f"S{number:04}", f"I{position:07}"), entry)


def _listed(stored: StoredStudy, originals: list[Original]) -> Iterator[ListedFile]:
    tags: dict[UUID, dict[str, Any]] = {}
    for file in originals:
        series = file.entry.series
        if series not in tags:
            tags[series] = json.loads(stored.read(stored.entry(series, "tags")))
        known = tags[series]
        instance = known["instances"][str(file.entry.instance)]
        yield ListedFile(file.path, known["patient"], known["study"], known["series"], instance)


def _checksums(small: dict[str, bytes], originals: list[Original]) -> bytes:
    """Every other file's SHA-256, in the form that `sha256sum -c` reads."""
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in small.items()]
    lines += [f"{file.entry.extra['sha256']}  {file.name}\n" for file in originals]
    return "".join(lines).encode("ascii")


def _etag(sums: bytes, layout: StoredZip) -> str:
    """The checksums name every byte of every file, and the layout version how they are put together."""
    said = f"scanpass-download/{LAYOUT_VERSION} {layout.length} {layout.modified}\n".encode() + sums
    return f'"{hashlib.sha256(said).hexdigest()[:40]}"'
