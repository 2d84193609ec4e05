"""What the desk sees of disclosures and tasks: rows for its pages, nothing decided here."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from portal.clock import now
from portal.records.models import Disclosure, DisclosureEvent, Patient
from sharing.liveness import state_of
from sharing.message_rows import MessageRow, message_rows
from sharing.models import DeskTask, Share
from sharing.opted_out import has_opted_out
from sharing.status import Step, describe
from sharing.tones import tone_of
from sharing.undo import can_undo

_KINDS: Final = DisclosureEvent.Kind


@dataclass(frozen=True, slots=True)
class DisclosureRow:
    """One line of the list: `state` is how far it has come, `life` is live, locked, expired or revoked."""

    disclosure: Disclosure
    share: Share
    state: str
    life: str
    events: list[Step]
    letters: list[MessageRow]
    has_opted_out: bool

    @property
    def label(self) -> str:
        return str(_KINDS(self.state).label)

    @property
    def tone(self) -> str:
        """Which colour the badge has; it only repeats what the word says."""
        return tone_of(self.state)

    @property
    def can_undo(self) -> bool:
        """Whether its message hasn't left yet."""
        return self.life == "live" and can_undo(self.share)


def disclosures_of(patient: Patient) -> list[DisclosureRow]:
    """The patient's disclosures, the newest first."""
    rows = Disclosure.objects.filter(patient=patient, share__isnull=False).select_related("share")
    moment = now()
    return [_row(row, moment) for row in rows.order_by("-disclosed_at")]


def row_of(share: Share) -> DisclosureRow:
    """The line of one share."""
    return _row(share.disclosure, now())


def _row(disclosure: Disclosure, moment: datetime) -> DisclosureRow:
    told = describe(disclosure)
    share: Share = disclosure.share
    return DisclosureRow(
        disclosure,
        share,
        told.state,
        state_of(share, moment),
        told.steps,
        message_rows(share, moment),
        has_opted_out(share),
    )


def open_tasks(practice: uuid.UUID) -> list[DeskTask]:
    """What the desk should do, the oldest first."""
    rows = DeskTask.objects.filter(practice_id=practice, done_at=None).select_related("share__patient")
    return list(rows.order_by("created_at")[:50])
