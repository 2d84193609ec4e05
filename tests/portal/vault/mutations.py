"""Ways to change a sealed object, drawn by seed, and the places an object could be moved to.

Used by a short test and by `python -m bench.vault.mutate`, which tries a million.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import permutations
from typing import Any
from uuid import UUID

from portal.errors import VaultDamaged
from portal.vault.columns import open_value, seal_value
from portal.vault.context import KINDS, Context
from portal.vault.stream import CHUNK_BYTES, HEADER_BYTES, TAG_BYTES, open_bytes, seal_bytes
from portal.vault.wrapping import study_key_aad, unwrap_key, wrap_key

Place = dict[str, Any]
SHORT = (0, 1, 47, 400)
LONG = (CHUNK_BYTES, 2 * CHUNK_BYTES + 5)
# One in so many is an object of several chunks: they take a thousand times as long.
LONG_EVERY = 50


@dataclass
class Tried:
    """How many were tried in each way, the reasons they were refused for, and whatever was not."""

    ways: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)
    crashed: list[str] = field(default_factory=list)

    def expect_refusal(self, way: str, name: str, deed: Callable[[], object]) -> None:
        """Do it, and note whether it was refused as damage, which is the only right answer."""
        self.ways[way] += 1
        try:
            deed()
        except VaultDamaged as refusal:
            self.reasons[refusal.reason] += 1
        except Exception as error:
            self.crashed.append(f"{way}, {name}: {type(error).__name__}")
        else:
            self.accepted.append(f"{way}, {name}")

    def add(self, other: Tried) -> None:
        self.ways += other.ways
        self.reasons += other.reasons
        self.accepted += other.accepted
        self.crashed += other.crashed


# --- mutations -----------------------------------------------------------------------------------------------------


def flip_a_bit(chance: random.Random, sealed: bytes) -> bytes:
    """One bit, anywhere."""
    place = chance.randrange(len(sealed) * 8)
    return sealed[: place // 8] + bytes([sealed[place // 8] ^ 1 << place % 8]) + sealed[place // 8 + 1 :]


def write_bytes(chance: random.Random, sealed: bytes) -> bytes:
    """Some bytes in a row become others."""
    start = chance.randrange(len(sealed))
    return _over(sealed, start, chance.randbytes(chance.randrange(1, 40)))


def change_the_header(chance: random.Random, sealed: bytes) -> bytes:
    """One of its fields: magic, version, suite, flags, chunk size, key id, salt, commitment, length."""
    fields = (0, 4, 5, 6, 8, 12, 28, 60, 92, HEADER_BYTES)
    which = chance.randrange(len(fields) - 1)
    return _over(sealed, fields[which], chance.randbytes(fields[which + 1] - fields[which]))


def cut(chance: random.Random, sealed: bytes) -> bytes:
    """The end, or the beginning."""
    length = chance.randrange(len(sealed))
    return sealed[:length] if chance.random() < 0.8 else sealed[len(sealed) - length :]


def extend(chance: random.Random, sealed: bytes) -> bytes:
    """Bytes behind it, in front of it, or amid it."""
    more, place = chance.randbytes(chance.randrange(1, 40)), chance.choice([0, HEADER_BYTES, len(sealed)])
    return sealed[:place] + more + sealed[place:]


def exchange(chance: random.Random, sealed: bytes) -> bytes:
    """Two pieces of one length change places: whole chunks, where there are several."""
    step = CHUNK_BYTES + TAG_BYTES
    if len(sealed) > HEADER_BYTES + 2 * step:
        first, second = HEADER_BYTES, HEADER_BYTES + step
    else:
        step = chance.randrange(1, len(sealed) // 2)
        first = chance.randrange(len(sealed) - 2 * step + 1)
        second = chance.randrange(first + step, len(sealed) - step + 1)
    one, other = sealed[first : first + step], sealed[second : second + step]
    return _over(_over(sealed, first, other), second, one)


def repeat(chance: random.Random, sealed: bytes) -> bytes:
    """A chunk, or a piece, twice."""
    step = min(CHUNK_BYTES + TAG_BYTES, len(sealed) - HEADER_BYTES)
    end = HEADER_BYTES + chance.choice([step, max(1, step // 2)])
    return sealed[:end] + sealed[HEADER_BYTES:]


def splice(chance: random.Random, sealed: bytes) -> bytes:
    """The header of one object and the chunks of another, sealed under the same key in the same place."""
    other = seal_bytes(chance.randbytes(len(sealed)), **PLACE)
    cut_at = chance.choice([HEADER_BYTES, chance.randrange(1, len(sealed))])
    return sealed[:cut_at] + other[cut_at : len(sealed)]


WAYS = (flip_a_bit, write_bytes, change_the_header, cut, extend, exchange, repeat, splice)


def _over(sealed: bytes, start: int, put: bytes) -> bytes:
    return sealed[:start] + put[: len(sealed) - start] + sealed[start + len(put) :]


_IDS = [UUID(int=number) for number in range(1, 9)]
PLACE: Place = {
    "dek": bytes(range(32)),
    "dek_id": bytes(range(16)),
    "context": Context(*_IDS[:4], "frame", 3, 1, 2),
}


def mutate(seeds: Iterable[int]) -> Tried:
    """One mutation a seed; one that leaves the object as it was is drawn again."""
    tried = Tried()
    contents = {length: random.Random(length).randbytes(length) for length in (*SHORT, *LONG)}
    sealed = {length: seal_bytes(content, **PLACE) for length, content in contents.items()}
    for seed in seeds:
        chance, way = random.Random(seed), WAYS[seed % len(WAYS)]
        length = chance.choice(LONG if chance.randrange(LONG_EVERY) == 0 else SHORT)
        changed = sealed[length]
        while changed == sealed[length]:
            changed = way(chance, sealed[length])
        told = length if chance.random() < 0.5 else None
        tried.expect_refusal(way.__name__, str(seed), partial(open_bytes, changed, **PLACE, length=told))
    return tried


# --- swaps ---------------------------------------------------------------------------------------------------------


def places() -> dict[str, Place]:
    """A place, and others that differ from it in one thing each."""
    here: Context = PLACE["context"]
    elsewhere = {
        **{name: {name: _IDS[7]} for name in ("practice", "study", "series", "instance")},
        **{f"kind {kind}": {"kind": kind} for kind in sorted(KINDS - {here.kind})},
        **{f"index {index}": {"index": index} for index in (0, 2, 4, 2**40)},
        **{f"level {level}": {"level": level} for level in (0, 2)},
        **{f"generation {generation}": {"generation": generation} for generation in (0, 1, 3)},
        "series and instance exchanged": {"series": here.instance, "instance": here.series},
        "index and level exchanged": {"index": here.level, "level": here.index},
    }
    return {
        "here": PLACE,
        **{name: {**PLACE, "context": replace(here, **change)} for name, change in elsewhere.items()},
        "another key": {**PLACE, "dek": bytes(range(1, 33))},
        "another key's id": {**PLACE, "dek_id": bytes(range(1, 17))},
    }


def swap() -> Tried:
    """Every object into the place of every other one: objects, wrapped keys, values of columns."""
    tried, known = Tried(), places()
    sealed = {name: seal_bytes(b"the same words", **place) for name, place in known.items()}
    for one, other in permutations(known, 2):
        way = "object in another place"
        tried.expect_refusal(
            way, f"{one} as {other}", partial(open_bytes, sealed[one], **known[other], length=None)
        )
    _swap_bound(tried, "wrapped key of another study", wrap_key, unwrap_key, bytes(32))
    _swap_bound(tried, "value in another row", seal_value, open_value, b"Garcia")
    return tried


def _swap_bound(
    tried: Tried, way: str, seal: Callable[..., bytes], unseal: Callable[..., bytes], plain: bytes
) -> None:
    key, base = bytes(range(32)), (*_IDS[:3], 1)
    aads = {
        str(place): study_key_aad(*changed)
        for place in range(5)
        for changed in [tuple(_other(part) if at == place else part for at, part in enumerate(base))]
    }
    blobs = {name: seal(key, plain, aad=aad) for name, aad in aads.items()}
    for one, other in permutations(aads, 2):
        tried.expect_refusal(way, f"{one} as {other}", partial(unseal, key, blobs[one], aad=aads[other]))


def _other(part: UUID | int) -> UUID | int:
    return _IDS[6] if isinstance(part, UUID) else part + 1
