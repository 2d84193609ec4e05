"""What a download of a study holds: the originals, a DICOMDIR, checksums and a README, laid out as one archive.

The layout, with its ETag, is kept for a few studies, so that a range of a download doesn't build it anew.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from portal.errors import InvalidInput
from portal.vault.header import CHUNK_BYTES
from portal.vault.manifest import Entry
from sharing.access import Grant
from sharing.remembered import Recent
from viewer.dicomdir import ListedFile, build_dicomdir
from viewer.readme import readme
from viewer.slices import draw_whole
from viewer.stored import StoredStudy
from viewer.stored_zip import StoredZip, ZipFile

LAYOUT_VERSION: Final = "1"
# More pictures than a full mouth has are no set to draw while somebody waits.
PICTURES_MAX: Final = 60
PACKAGES_KEPT: Final = 8  # about 700 bytes a file: the DICOMDIR and the headers


class Arrangement(StrEnum):
    """How the files lie in the archive: what one program can't import, another way often can."""

    DICOMDIR = "dicomdir"  # with a table of contents and 8.3 names, as on a disc
    FLAT = "flat"  # one folder of .DCM files, nothing else
    PICTURES = "pictures"  # the single pictures as JPEG, for who has no program for DICOM


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


_packages: Recent[tuple[str, frozenset[UUID] | None, bytes, str], Package] = Recent(PACKAGES_KEPT)


def package_of(grant: Grant, stored: StoredStudy, arrangement: str = Arrangement.DICOMDIR) -> Package:
    """The download that this grant allows, in one of its arrangements. Raises InvalidInput, VaultDamaged."""
    words = readme(grant)
    name = (stored.manifest_sha256, grant.series, words, arrangement)
    known = _packages.get(name)
    if known is None:
        known = _BUILDERS[_known(arrangement)](grant, stored, words)
        _packages.put(name, known)
    return known


def _known(arrangement: str) -> Arrangement:
    try:
        return Arrangement(arrangement)
    except ValueError:
        raise InvalidInput(_("Choose one of the options.")) from None


def _with_dicomdir(grant: Grant, stored: StoredStudy, words: bytes) -> Package:
    originals = list(_originals(grant, stored))
    scope = ",".join(sorted(map(str, grant.series))) if grant.series is not None else "all"
    directory = build_dicomdir(list(_listed(stored, originals)), key=f"{stored.manifest_sha256} {scope}")
    small = {"README.txt": words, "DICOMDIR": directory}
    return _package(grant, stored, small, originals)


def _flat(grant: Grant, stored: StoredStudy, words: bytes) -> Package:
    flat = [Original(("".join(file.path[1:]) + ".DCM",), file.entry) for file in _originals(grant, stored)]
    return _package(grant, stored, {"README.txt": words}, flat)


def _pictures(grant: Grant, stored: StoredStudy, words: bytes) -> Package:
    shown = [(series, view) for series, view in stored.series.items() if grant.allows(series)]
    found = [
        (number, series, index)
        for number, (series, view) in enumerate(shown, start=1)
        if view["kind"] == "image"
        for index in range(view["NumberOfFrames"])
    ]
    if not found:
        raise InvalidInput(_("There are no single pictures in this scan. Please choose another way."))
    if len(found) > PICTURES_MAX:
        raise InvalidInput(_("These are too many pictures for one set. Please choose another way."))
    drawn = {
        f"S{number:04}/I{index + 1:07}.JPG": draw_whole(stored, series, index)
        for number, series, index in found
    }
    return _package(grant, stored, {"README.txt": words, **drawn}, [])


_BUILDERS: Final[dict[Arrangement, Callable[[Grant, StoredStudy, bytes], Package]]] = {
    Arrangement.DICOMDIR: _with_dicomdir,
    Arrangement.FLAT: _flat,
    Arrangement.PICTURES: _pictures,
}


def _package(
    grant: Grant, stored: StoredStudy, small: dict[str, bytes], originals: list[Original]
) -> Package:
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
