"""What the desk sees of a disclosure: its state in one word, what happened, and what can be done about it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from portal.clock import now
from portal.records.models import Disclosure, DisclosureEvent, Patient
from sharing.liveness import state_of
from sharing.models import DeskTask, Share

_TONES = {"viewed": "good", "downloaded": "good", "revoked": "plain", "expired": "plain", "locked": "bad",
          "send-failed": "bad", "queued": "warn"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Happened:
    kind: str
    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class DisclosureRow:
    """One line of the list. `life` is live, locked, expired or revoked."""

    disclosure: Disclosure
    share: Share
    state: str
    label: str
    life: str
    events: list[Happened]

    @property
    def tone(self) -> str:
        return _TONES.get(self.state, "live")


def disclosures_of(patient: Patient) -> list[DisclosureRow]:
    """The patient's disclosures, the newest first."""
    rows = Disclosure.objects.filter(patient=patient, share__isnull=False).select_related("share")
    moment = now()
    return [_row(row, moment) for row in rows.prefetch_related("events").order_by("-disclosed_at")]


def _row(disclosure: Disclosure, moment: datetime) -> DisclosureRow:
    share: Share = disclosure.share  # type: ignore[attr-defined]
    events = sorted(disclosure.events.all(), key=lambda event: event.pk)
    life = state_of(share, moment)
    last = events[-1].kind if events else "queued"
    state = last if life == "live" else life
    happened = [Happened(event.kind, event.at, event.get_kind_display()) for event in events]
    return DisclosureRow(disclosure, share, state, DisclosureEvent.Kind(state).label, life, happened)


def open_tasks(practice: uuid.UUID) -> list[DeskTask]:
    """What the desk should do, the oldest first."""
    rows = DeskTask.objects.filter(practice_id=practice, done_at=None).select_related("share__patient")
    return list(rows.order_by("created_at")[:50])
