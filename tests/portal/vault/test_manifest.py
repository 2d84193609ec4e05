"""The list of a study's objects."""

from __future__ import annotations

import random
import secrets
from uuid import UUID, uuid4

import pytest

from portal.errors import NotFound, VaultDamaged
from portal.vault import manifest
from portal.vault.manifest import Entry
from portal.vault.store import Extent
from portal.vault.stream import sealed_length

SERIES = sorted((uuid4(), uuid4()), key=lambda series: series.int)
INSTANCE = uuid4()
PACK = secrets.token_hex(16)


def an_entry(
    index: int, *, series: UUID = SERIES[0], kind: str = "frame", length: int = 90, **more: object
) -> Entry:
    return Entry(
        kind=kind,
        series=series,
        index=index,
        pack=PACK,
        offset=index * 1000,
        sealed_length=sealed_length(length),
        length=length,
        sha256=secrets.token_hex(32),
        **more,  # type: ignore[arg-type]
    )


ENTRIES = [
    *(an_entry(index) for index in range(12)),
    *(an_entry(index, level=1) for index in range(6)),
    an_entry(0, kind="original", instance=INSTANCE, extra={"crc32": 7, "name": "IMG00001"}),
    an_entry(0, series=SERIES[1], kind="preview"),
]


def test_any_order_gives_the_same_bytes_and_reads_back_sorted() -> None:
    shuffled = random.Random(1).sample(ENTRIES, len(ENTRIES))
    raw = manifest.encode(shuffled, {"generation": 2})
    assert raw == manifest.encode(ENTRIES, {"generation": 2})
    decoded = manifest.decode(raw, sha256=manifest.digest(raw), generation=2)
    assert decoded.generation == 2
    assert list(decoded.entries) == ENTRIES


def test_entry_is_found_by_its_place() -> None:
    decoded = manifest.decode(manifest.encode(ENTRIES, {"generation": 1}))
    assert decoded.find(SERIES[0], "frame", level=1, index=4) == ENTRIES[16]
    original = decoded.find(SERIES[0], "original", instance=INSTANCE)
    assert original.extra == {"crc32": 7, "name": "IMG00001"}
    assert original.extent == Extent(0, original.sealed_length, original.sha256)
    for place in ({"index": 12}, {"level": 2}, {"instance": INSTANCE}):
        with pytest.raises(NotFound):
            decoded.find(SERIES[0], "frame", **place)


def test_entries_are_chosen_by_series_kind_and_level() -> None:
    decoded = manifest.decode(manifest.encode(ENTRIES, {"generation": 1}))
    assert decoded.select(series=SERIES[1]) == ENTRIES[19:]
    assert decoded.select(kind="frame", level=0) == ENTRIES[:12]
    assert decoded.select() == ENTRIES
    assert list(decoded.packs()) == [PACK]


@pytest.mark.parametrize(
    ("entries", "header", "reason"),
    [
        ([ENTRIES[0], ENTRIES[0]], {"generation": 1}, "manifest-duplicate"),
        (ENTRIES, {}, "manifest-form"),
        (ENTRIES, {"generation": True}, "manifest-form"),
        ([an_entry(0, kind="movie")], {"generation": 1}, "manifest-form"),
    ],
)
def test_no_manifest_is_written_that_none_would_read(
    entries: list[Entry], header: dict[str, int], reason: str
) -> None:
    with pytest.raises(ValueError, match=f"No reader would accept this manifest: {reason}"):
        manifest.encode(entries, header)


def test_no_flipped_bit_is_accepted_against_its_hash() -> None:
    raw = manifest.encode(ENTRIES, {"generation": 1})
    changed = bytearray(raw)
    changed[len(raw) // 2] ^= 1
    with pytest.raises(VaultDamaged) as refusal:
        manifest.decode(bytes(changed), sha256=manifest.digest(raw))
    assert refusal.value.reason == "manifest-hash"


def test_what_a_file_was_called_is_not_shown() -> None:
    decoded = manifest.decode(manifest.encode(ENTRIES, {"generation": 1, "note": "Gonzalez"}))
    assert "IMG00001" not in repr(decoded) + repr(decoded.entries)
    assert "Gonzalez" not in repr(decoded)
