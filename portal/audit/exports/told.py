"""One entry with all it holds, sealed parts open: what every export is made from."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from portal.audit.events import EVENTS
from portal.audit.models import AuditEntry
from portal.audit.reading import opened

# FHIR and DICOM count alike: 0 success, 4 minor failure (refused), 8 serious failure.
OUTCOMES: Final = {"ok": "0", "refused": "4", "failed": "8"}
_ACTIONS: Final = {"110103": "R", "110104": "R", "110105": "D", "110106": "R", "110107": "C", "110101": "R"}
_PATIENT_ACTIONS: Final = {"patient.added": "C", "patient.changed": "U", "patient.opened": "R"}


@dataclass(frozen=True, slots=True)
class Told:
    """An entry to be exported. `name` and `address` are empty when nobody is named, or their key is gone."""

    practice: uuid.UUID
    n: int
    at: datetime
    code: str
    outcome: str
    kind: str
    role: str
    actor: str
    session: str
    method: str
    name: str = field(repr=False)
    address: str = field(repr=False)
    patient: str
    study: str
    series: str
    share: str
    facts: dict[str, Any] = field(repr=False)
    private: dict[str, Any] = field(repr=False)
    hash: bytes

    @property
    def words(self) -> str:
        return EVENTS[self.code][1]

    @property
    def dicom_event(self) -> str:
        """The event's code of DICOM PS3.15 A.5."""
        return EVENTS[self.code][0]

    @property
    def action(self) -> str:
        """C, R, U, D or E, as FHIR and DICOM say it."""
        return _PATIENT_ACTIONS.get(self.code) or _ACTIONS.get(self.dicom_event, "E")


def tell(entries: Iterable[AuditEntry]) -> Iterator[Told]:
    """Each entry with its sealed part open."""
    for entry in entries:
        yield _told(entry)


def _told(entry: AuditEntry) -> Told:
    event = json.loads(bytes(entry.event))
    private = opened(entry, event.get("sealed"))
    actor = event["actor"]
    return Told(
        practice=entry.practice_id,
        n=entry.n,
        at=entry.at,
        code=entry.code,
        outcome=entry.outcome,
        kind=actor.get("kind", ""),
        role=actor.get("role", ""),
        actor=actor.get("id", ""),
        session=actor.get("session", ""),
        method=actor.get("method", ""),
        name=str(private.pop("actor", "")),
        address=str(private.pop("address", "")),
        facts=event.get("facts", {}),
        private=private,
        hash=bytes(entry.hash),
        **{name: event.get(name, "") for name in ("patient", "study", "series", "share")},
    )
