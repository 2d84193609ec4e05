"""Reading the trail back: an entry in words, with the sealed part open."""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from portal.audit.events import EVENTS
from portal.audit.models import AuditEntry
from portal.audit.trail import sealed_aad
from portal.errors import Sealed, VaultDamaged
from portal.sealed.keys import practice_key
from portal.vault.columns import open_value, value_version
from portal.vault.keyring import derive_key

_FOR_PROGRAMS: Final = frozenset(
    {
        *("challenge", "disclosure", "group", "manifest_sha256", "message", "opens", "reference", "series"),
        *("session", "share", "subject", "upload"),
    }
)


@dataclass(frozen=True, slots=True)
class Read:
    """One entry as people read it: `private` is what was sealed, empty when its key is gone."""

    n: int
    at: datetime
    words: str
    outcome: str
    kind: str
    role: str
    who: str
    patient: uuid.UUID | None
    facts: dict[str, Any]
    private: dict[str, Any]

    @property
    def role_in_words(self) -> str:
        return self.role.replace("_", " ")

    @property
    def details(self) -> list[tuple[str, Any]]:
        """What else is to be read, names and values; ids and hashes are for programs, which read the entry itself."""
        told = {**self.private, **self.facts}
        return [(name.replace("_", " "), value) for name, value in told.items() if name not in _FOR_PROGRAMS]


def latest(practice: uuid.UUID, count: int) -> list[Read]:
    """The last `count` entries of a practice's chain, the newest first."""
    return [read(entry) for entry in AuditEntry.objects.filter(practice_id=practice).order_by("-n")[:count]]


def read(entry: AuditEntry) -> Read:
    """An entry with its sealed part open."""
    event = json.loads(bytes(entry.event))
    private = opened(entry, event.get("sealed"))
    actor = event["actor"]
    return Read(
        n=entry.n,
        at=entry.at,
        words=EVENTS[entry.code][1],
        outcome=entry.outcome,
        kind=actor.get("kind", ""),
        role=actor.get("role", ""),
        who=str(private.pop("actor", "")),
        patient=entry.patient_id,
        facts=event.get("facts", {}),
        private=private,
    )


def opened(entry: AuditEntry, sealed: str | None) -> dict[str, Any]:
    """The sealed part of an entry, empty when there is none or its key is gone."""
    if not sealed:
        return {}
    blob = base64.b64decode(sealed)
    version = value_version(blob)
    try:
        _, key = practice_key(entry.practice_id, version)
        sealing = derive_key(key, "col", "audit_event", "private", str(version))
        plain = open_value(sealing, blob, aad=sealed_aad(entry.practice_id, entry.n), version=version)
    except (Sealed, VaultDamaged):
        # A shredded key closes names, not the trail: the rest of the entry is still there to read.
        return {}
    opened: dict[str, Any] = json.loads(plain)
    return opened
