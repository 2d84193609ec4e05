"""Sealed files nobody refers to: what a worker wrote before it was killed, and parts whose row never moved."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import islice

from portal.records.models import UploadPart, VaultPack
from portal.records.vault import spool, vault

# No ingest takes a day; a pack older than this without a row was left behind.
OLD_S = 24 * 3600
EVERY_S = 3600
_last_swept = -float(EVERY_S)


def sweep_leftovers() -> None:
    """Called every few seconds; looks once an hour."""
    global _last_swept
    if time.monotonic() - _last_swept < EVERY_S:
        return
    _last_swept = time.monotonic()
    delete_leftovers(OLD_S)


def delete_leftovers(older_than_s: float) -> int:
    """Delete what is older and has no row; return how many."""
    count = 0
    for store, known in ((vault(), _known_packs), (spool(), _known_parts)):
        count += store.sweep_abandoned(older_than_s)
        for names in _batches(store.names(older_than_s=older_than_s)):
            for name in set(names) - known(names):
                store.delete(name)
                count += 1
    return count


def _known_packs(names: list[str]) -> set[str]:
    return set(VaultPack.objects.filter(name__in=names).values_list("name", flat=True))


def _known_parts(names: list[str]) -> set[str]:
    return set(UploadPart.objects.filter(blob__in=names).values_list("blob", flat=True))


def _batches(names: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(names)
    while some := list(islice(iterator, 500)):
        yield some
