"""What a checkpoint says: where every chain stood at one moment. Pure functions.

    scanpass/audit-checkpoint/1
    origin scans.example.org/scanpass/audit
    sequence 17
    at 2026-11-23T12:00:00.000000+00:00
    previous <SHA-256 of the note before this one, hexadecimal; 64 zeros for the first>
    entries <of all chains together>
    chain <practice> <n> <hash, hexadecimal>            a line a chain, in the order of the practices' ids

Signed as a note (`signed_note`) and kept elsewhere, it holds the trail to what it said then. Practices are named by
id; a checkpoint holds nothing about a person.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from portal.errors import InvalidInput

FORMAT: Final = "scanpass/audit-checkpoint/1"
NONE_BEFORE: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The heads, (n, hash) by practice, at a moment; `previous` is the digest of the note before."""

    origin: str
    sequence: int
    at: datetime
    previous: bytes
    heads: Mapping[uuid.UUID, tuple[int, bytes]]

    @property
    def entries(self) -> int:
        return sum(n for n, _ in self.heads.values())


def digest(note: str) -> bytes:
    """What the next checkpoint names this one by."""
    return hashlib.sha256(note.encode()).digest()


def encode(checkpoint: Checkpoint) -> str:
    """The text to sign."""
    chains = sorted(checkpoint.heads.items())
    lines = [
        FORMAT,
        f"origin {checkpoint.origin}",
        f"sequence {checkpoint.sequence}",
        f"at {checkpoint.at.isoformat(timespec='microseconds')}",
        f"previous {checkpoint.previous.hex()}",
        f"entries {checkpoint.entries}",
        *(f"chain {practice} {n} {head.hex()}" for practice, (n, head) in chains),
    ]
    return "\n".join(lines) + "\n"


def decode(text: str) -> Checkpoint:
    """The checkpoint again. Raises InvalidInput unless `text` is spelled exactly as `encode` spells it."""
    try:
        found = _parsed(text.splitlines())
    except (ValueError, IndexError):
        raise InvalidInput("This signed note is not a checkpoint of an audit trail.") from None
    if encode(found) != text:
        raise InvalidInput("This checkpoint is not written as checkpoints are.")
    return found


def _parsed(lines: list[str]) -> Checkpoint:
    if lines[0] != FORMAT:
        raise ValueError
    origin, sequence, at, previous, _ = (
        _value(name, line)
        for name, line in zip(("origin", "sequence", "at", "previous", "entries"), lines[1:6], strict=True)
    )
    heads = {}
    for line in lines[6:]:
        practice, n, head = _value("chain", line).split(" ")
        heads[uuid.UUID(practice)] = (int(n), bytes.fromhex(head))
    return Checkpoint(origin, int(sequence), datetime.fromisoformat(at), bytes.fromhex(previous), heads)


def _value(name: str, line: str) -> str:
    found, _, value = line.partition(" ")
    if found != name or not value:
        raise ValueError
    return value
