"""Chains of invented entries, and ways to forge them, by seed; for the tests and for `python -m bench.audit.tamper`."""

from __future__ import annotations

import json
import random
import uuid
from datetime import UTC, datetime, timedelta

from portal.audit.chain import GENESIS, next_hash
from portal.audit.walk import Finding, Row, end_fault, walk
from portal.vault.encoding import canonical_json

PRACTICE = uuid.UUID("7b0d51f2-5c0b-4a3c-9f21-0a6b1c2d3e4f")
START = datetime(2026, 11, 23, 8, tzinfo=UTC)
EVERY = 10
Forged = tuple[list[Row], tuple[int, bytes] | None, int]
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


def row_of(event: dict[str, object], previous: bytes) -> Row:
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


def chain(chance: random.Random, length: int, start: list[Row] | None = None) -> list[Row]:
    rows = list(start or [])
    while len(rows) < length:
        rows.append(row_of(_event(chance, len(rows) + 1), rows[-1][10] if rows else GENESIS))
    return rows


def judge(rows: list[Row], known: dict[int, bytes], head: tuple[int, bytes] | None) -> Finding | None:
    verdict = walk(PRACTICE, rows, known)
    reach = max([*known, head[0] if head else 0], default=0)
    return verdict.finding or end_fault(verdict, reach, head)


def points(rows: list[Row]) -> dict[int, bytes]:
    return {row[0]: row[10] for row in rows if row[0] % EVERY == 0}


def head_of(rows: list[Row]) -> tuple[int, bytes] | None:
    return (rows[-1][0], rows[-1][10]) if rows else None


# --- the ways ------------------------------------------------------------------------------------------------------
# Each takes the rows, returns what the forger leaves behind (rows, head) and the first entry that is no longer true.


def edit(chance: random.Random, rows: list[Row]) -> Forged:
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
    return [*rows[:place], row, *rows[place + 1 :]], head_of(rows), place + 1


def delete(chance: random.Random, rows: list[Row]) -> Forged:
    """Some rows in the middle."""
    place = chance.randrange(len(rows) - 1)
    count = chance.randrange(1, len(rows) - place)
    return rows[:place] + rows[place + count :], head_of(rows), place + 1


def swap(chance: random.Random, rows: list[Row]) -> Forged:
    """Two rows change places and numbers."""
    first, second = sorted(chance.sample(range(len(rows)), 2))
    changed = list(rows)
    changed[first], changed[second] = (first + 1, *rows[second][1:]), (second + 1, *rows[first][1:])
    return changed, head_of(rows), first + 1


def cut(chance: random.Random, rows: list[Row]) -> Forged:
    """The end, down to before a noted entry; the head row follows."""
    length = chance.randrange(0, len(rows) // EVERY * EVERY)
    return rows[:length], head_of(rows[:length]), length + 1


def forge(chance: random.Random, rows: list[Row]) -> Forged:
    """A row is rewritten and everything behind it computed anew, the head row too: it holds together in itself."""
    place = chance.randrange(0, len(rows) // EVERY * EVERY)
    event = {**json.loads(rows[place][8]), "facts": {"number": -1}}
    kept = [*rows[:place], row_of(event, rows[place][9])]
    for row in rows[place + 1 :]:
        kept.append(row_of(json.loads(row[8]), kept[-1][10]))
    return kept, head_of(kept), place + 1


WAYS = (edit, delete, swap, cut, forge)
