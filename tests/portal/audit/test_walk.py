"""A thousand ways to touch a chain, in memory, by seed: each is located, and nothing sound is suspected.

What is noted elsewhere (every 10 entries here) holds a chain that was computed anew; its newest entries, which no
point covers yet, are the stated limit.
"""

from __future__ import annotations

import json
import random
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from portal.audit.chain import GENESIS, next_hash
from portal.audit.walk import Finding, Row, end_fault, walk
from portal.vault.encoding import canonical_json

PRACTICE = uuid.UUID("7b0d51f2-5c0b-4a3c-9f21-0a6b1c2d3e4f")
START = datetime(2026, 11, 23, 8, tzinfo=UTC)
EVERY = 10
CODES = ("patient.opened", "share.created", "series.opened", "staff.signed-in")


def _event(chance: random.Random, n: int) -> dict[str, object]:
    event: dict[str, object] = {
        "n": n,
        "at": (START + timedelta(seconds=n, microseconds=chance.randrange(10**6))).isoformat(),
        "code": chance.choice(CODES),
        "outcome": "ok",
        "actor": {"kind": "staff", "id": str(uuid.UUID(int=chance.getrandbits(128)))},
        "facts": {"number": n},
    }
    for name in ("patient", "share"):
        if chance.random() < 0.5:
            event[name] = str(uuid.UUID(int=chance.getrandbits(128)))
    return event


def _row(event: dict[str, object], previous: bytes) -> Row:
    raw, n = canonical_json(event), int(str(event["n"]))
    plain = [
        str(event[name]).replace("-", "") if name in event else None for name in ("patient", "study", "share")
    ]
    actor = event["actor"]["id"].replace("-", "")  # type: ignore[index]
    at = str(event["at"]).replace("T", " ").removesuffix("+00:00")
    return (
        n,
        at,
        event["code"],
        event["outcome"],
        actor,
        *plain,
        raw,
        previous,
        next_hash(PRACTICE, n, previous, raw),
    )


def _chain(chance: random.Random, length: int, start: list[Row] | None = None) -> list[Row]:
    rows = list(start or [])
    while len(rows) < length:
        rows.append(_row(_event(chance, len(rows) + 1), rows[-1][10] if rows else GENESIS))
    return rows


def _judge(rows: list[Row], known: dict[int, bytes], head: tuple[int, bytes] | None) -> Finding | None:
    verdict = walk(PRACTICE, rows, known)
    reach = max([*known, head[0] if head else 0], default=0)
    return verdict.finding or end_fault(verdict, reach, head)


def _points(rows: list[Row]) -> dict[int, bytes]:
    return {row[0]: row[10] for row in rows if row[0] % EVERY == 0}


def _head(rows: list[Row]) -> tuple[int, bytes] | None:
    return (rows[-1][0], rows[-1][10]) if rows else None


# --- the ways ------------------------------------------------------------------------------------------------------
# Each takes the rows, returns what the forger leaves behind (rows, head) and the first entry that is no longer true.


def edit(chance: random.Random, rows: list[Row]):
    """One value of one row, the hash columns included, not computed anew."""
    place, column = chance.randrange(len(rows)), chance.choice([1, 2, 3, 4, 8, 9, 10])
    value = rows[place][column]
    if isinstance(value, bytes):
        at = chance.randrange(len(value) * 8)
        changed = bytearray(value)
        changed[at // 8] ^= 1 << at % 8
        value = bytes(changed)
    else:
        value = "2020-01-01 00:00:00" if column == 1 else "0" * 32 if column == 4 else "x"
    row = (*rows[place][:column], value, *rows[place][column + 1 :])
    return [*rows[:place], row, *rows[place + 1 :]], _head(rows), place + 1


def delete(chance: random.Random, rows: list[Row]):
    """Some rows in the middle."""
    place = chance.randrange(len(rows) - 1)
    count = chance.randrange(1, len(rows) - place)
    return rows[:place] + rows[place + count :], _head(rows), place + 1


def swap(chance: random.Random, rows: list[Row]):
    """Two rows change places and numbers."""
    first, second = sorted(chance.sample(range(len(rows)), 2))
    changed = list(rows)
    changed[first], changed[second] = (first + 1, *rows[second][1:]), (second + 1, *rows[first][1:])
    return changed, _head(rows), first + 1


def cut(chance: random.Random, rows: list[Row]):
    """The end, down to before a noted entry; the head row follows."""
    length = chance.randrange(0, len(rows) // EVERY * EVERY)
    return rows[:length], _head(rows[:length]), length + 1


def forge(chance: random.Random, rows: list[Row]):
    """A row is rewritten and everything behind it computed anew, the head row too: it holds together in itself."""
    place = chance.randrange(0, len(rows) // EVERY * EVERY)
    event = {**json.loads(rows[place][8]), "facts": {"number": -1}}
    kept = [*rows[:place], _row(event, rows[place][9])]
    for row in rows[place + 1 :]:
        kept.append(_row(json.loads(row[8]), kept[-1][10]))
    return kept, _head(kept), place + 1


WAYS = (edit, delete, swap, cut, forge)


def _tamper_and_judge(seed: int) -> None:
    chance = random.Random(seed)
    way = WAYS[seed % len(WAYS)]
    rows = _chain(chance, chance.randrange(2 * EVERY, 60))
    known = _points(rows)
    assert _judge(rows, known, _head(rows)) is None, (seed, "false alarm")
    left, head, first = way(chance, rows)
    finding = _judge(left, known, head)
    assert finding is not None, (seed, way.__name__)
    assert finding.since < first <= finding.n, (seed, way.__name__, finding.sentence)
    if way is forge:
        assert finding.n - finding.since <= EVERY, "no further away than from one noted point to the next"
    else:
        assert finding.n == first, (seed, way.__name__, finding.sentence)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_each_way_is_located(way):
    for turn in range(20):
        _tamper_and_judge(turn * len(WAYS) + WAYS.index(way))


def test_r25_a_thousand_edits_deletions_swaps_cuts_and_forgeries_are_all_located():
    for seed in range(1000):
        _tamper_and_judge(seed)


def test_a_thousand_sound_chains_that_grew_after_their_points_raise_no_alarm():
    for seed in range(1000):
        chance = random.Random(seed)
        rows = _chain(chance, 30)
        grown = _chain(chance, 30 + chance.randrange(10), rows)
        assert _judge(grown, _points(rows), _head(grown)) is None, seed


def test_a_chain_that_only_a_noted_point_remembers_is_missed():
    rows = _chain(random.Random(1), 20)
    finding = _judge([], _points(rows), None)
    assert finding is not None
    assert (finding.n, finding.sentence) == (1, "the chain ends at 0, but entry 20 was known")


def test_the_newest_entries_that_no_point_covers_can_be_written_anew_which_is_the_stated_limit():
    rows = _chain(random.Random(2), 25)
    forged = _chain(random.Random(3), 25, rows[:22])
    assert _judge(forged, _points(rows), _head(forged)) is None
