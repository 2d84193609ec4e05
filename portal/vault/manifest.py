"""The list of all objects of a study, itself sealed: what isn't on it doesn't belong, what is on it must be there.

    {"counts": {kind: n…}, "entries": [[…11 fields…]…], "format": "scanpass-manifest/1", "header": {…}}

Canonical JSON, entries in strictly rising order of (series, kind, level, index, instance), so a study has one manifest
and one hash of it, kept in its row and in the trail. `header` holds the generation and what its writer adds.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

from portal.errors import NotFound, VaultDamaged
from portal.vault.context import NIL
from portal.vault.encoding import canonical_json
from portal.vault.manifest_entry import Entry, Place, entries_from_rows
from portal.vault.reasons import Reason, damaged

__all__ = ["Entry", "Manifest", "decode", "digest", "encode"]

FORMAT = "scanpass-manifest/1"
_FIELDS = {"counts", "entries", "format", "header"}


@dataclass(frozen=True, slots=True, repr=False)
class Manifest:
    """A manifest that was verified: `entries` in canonical order, `header` as it was written."""

    header: Mapping[str, Any]
    entries: tuple[Entry, ...]
    by_place: Mapping[Place, Entry]

    @property
    def generation(self) -> int:
        """The study's generation the list was written for."""
        generation: int = self.header["generation"]
        return generation

    def find(self, series: UUID, kind: str, *, level: int = 0, index: int = 0, instance: UUID = NIL) -> Entry:
        """The entry at a place. Raises NotFound when the study has no such object."""
        try:
            return self.by_place[series.int, kind, level, index, instance.int]
        except KeyError:
            raise NotFound() from None

    def select(
        self, *, series: UUID | None = None, kind: str | None = None, level: int | None = None
    ) -> list[Entry]:
        """The entries of a series, kind and level, each where given, in canonical order."""
        return [
            entry
            for entry in self.entries
            if (series is None or entry.series == series)
            and (kind is None or entry.kind == kind)
            and (level is None or entry.level == level)
        ]

    def packs(self) -> Iterator[str]:
        """The name of every pack the study lies in, once each, sorted."""
        yield from sorted({entry.pack for entry in self.entries})


def encode(entries: Iterable[Entry], header: Mapping[str, Any]) -> bytes:
    """The canonical bytes of a manifest, whatever order `entries` come in.

    `header` must hold "generation", a whole number. Raises ValueError for what no reader would accept.
    """
    ordered = sorted(entries, key=lambda entry: entry.place)
    raw = canonical_json(
        {
            "format": FORMAT,
            "header": dict(header),
            "counts": Counter(entry.kind for entry in ordered),
            "entries": [entry.as_row() for entry in ordered],
        }
    )
    try:
        decode(raw)
    except VaultDamaged as refusal:
        raise ValueError(f"No reader would accept this manifest: {refusal.reason}.") from None
    return raw


def digest(raw: bytes) -> str:
    """SHA-256 of a manifest's canonical bytes, in hex: what the study's row and the trail keep."""
    return hashlib.sha256(raw).hexdigest()


def decode(raw: bytes, *, sha256: str | None = None, generation: int = 0) -> Manifest:
    """The manifest in `raw`.

    `sha256` is the study row's hash of it and `generation` the row's: give both wherever a row is at hand. Raises
    VaultDamaged: `manifest-hash`, `manifest-form`, `generation`, `manifest-order`, `manifest-duplicate` or
    `manifest-count`, checked in this order.
    """
    if sha256 is not None and not hmac.compare_digest(digest(raw), sha256):
        raise damaged(Reason.MANIFEST_HASH)
    document = _document(raw)
    if document["header"]["generation"] < generation:
        raise damaged(Reason.GENERATION)
    entries = entries_from_rows(document["entries"])
    places = [entry.place for entry in entries]
    _check_order(places)
    if Counter(entry.kind for entry in entries) != document["counts"]:
        raise damaged(Reason.MANIFEST_COUNT)
    return Manifest(document["header"], entries, dict(zip(places, entries, strict=True)))


def _document(raw: bytes) -> dict[str, Any]:
    """The JSON in `raw`, if it has the one spelling and the shape."""
    try:
        document = json.loads(raw)
        is_canonical = canonical_json(document) == raw
    except (ValueError, RecursionError):
        raise damaged(Reason.MANIFEST_FORM) from None
    if not is_canonical or not isinstance(document, dict) or document.keys() != _FIELDS:
        raise damaged(Reason.MANIFEST_FORM)
    header, counts = document["header"], document["counts"]
    if document["format"] != FORMAT or not isinstance(header, dict) or not isinstance(counts, dict):
        raise damaged(Reason.MANIFEST_FORM)
    if not all(type(count) is int for count in counts.values()):
        raise damaged(Reason.MANIFEST_FORM)
    if type(header.get("generation")) is not int or header["generation"] < 0:
        raise damaged(Reason.MANIFEST_FORM)
    return document


def _check_order(places: list[Place]) -> None:
    for before, after in pairwise(places):
        if before > after:
            raise damaged(Reason.MANIFEST_ORDER)
        if before == after:
            raise damaged(Reason.MANIFEST_DUPLICATE)
