"""What a snapshot says of itself: the moment, the packs with their lengths and hashes, and whose they are."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from portal.vault.encoding import canonical_json


@dataclass(frozen=True, slots=True)
class Backed:
    """One pack in the backup: `length` in bytes, `sha256` in hex of the whole file, `owner` a study's or group's id."""

    length: int
    sha256: str
    owner: str


@dataclass(frozen=True, slots=True)
class Index:
    """The sealed index of a snapshot. `missing` are packs that the vault itself had lost when it was made."""

    engine: str
    packs: dict[str, Backed]
    missing: dict[str, str]
    heads: dict[str, list[Any]]
    kek_versions: list[int]
    config: dict[str, str] = field(default_factory=dict)

    @property
    def length_bytes(self) -> int:
        return sum(pack.length for pack in self.packs.values())

    def encode(self) -> bytes:
        packs = [[name, pack.length, pack.sha256, pack.owner] for name, pack in sorted(self.packs.items())]
        return canonical_json(
            {
                "engine": self.engine,
                "packs": packs,
                "missing": self.missing,
                "heads": self.heads,
                "kek_versions": self.kek_versions,
                "config": self.config,
            }
        )

    @classmethod
    def decode(cls, raw: bytes) -> Index:
        """The index in bytes that were verified by their seal."""
        said = json.loads(raw)
        packs = {name: Backed(length, sha256, owner) for name, length, sha256, owner in said.pop("packs")}
        return cls(packs=packs, **said)
