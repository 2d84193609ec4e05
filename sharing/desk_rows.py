"""What the desk sees of disclosures and tasks: rows for its pages, nothing decided here."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from portal.clock import now
from portal.records.models import Disclosure, DisclosureEvent, Patient
from sharing.liveness import state_of
from sharing.message_rows import MessageRow, message_rows
from sharing.models import Channel, DeskTask, Share
from sharing.opted_out import stopped_among
from sharing.status import Step, description_of
from sharing.tones import tone_of
from sharing.undo import can_undo

TASKS_SHOWN: Final = 50
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
    return _rows(rows.order_by("-disclosed_at"))


def row_of(share: Share) -> DisclosureRow:
    """The line of one share."""
    return _rows(Disclosure.objects.filter(pk=share.disclosure_id).select_related("share"))[0]


def _rows(disclosures: QuerySet[Disclosure]) -> list[DisclosureRow]:
    """The lines of all of them in as many questions as for one: an open page asks every three seconds."""
    moment = now()
    found = list(disclosures.prefetch_related("events", "share__messages"))
    shares: list[Share] = [disclosure.share for disclosure in found]
    stopped = stopped_among({share.address for share in shares if share.channel == Channel.TEXT})
    return [
        _row(
            disclosure,
            share,
            moment,
            has_opted_out=share.channel == Channel.TEXT and share.address in stopped,
        )
        for disclosure, share in zip(found, shares, strict=True)
    ]


def _row(disclosure: Disclosure, share: Share, moment: datetime, *, has_opted_out: bool) -> DisclosureRow:
    events = sorted(disclosure.events.all(), key=lambda event: (event.at, event.pk))
    told = description_of(share, events, moment)
    return DisclosureRow(
        disclosure,
        share,
        told.state,
        state_of(share, moment),
        told.steps,
        message_rows(share, moment),
        has_opted_out,
    )


def open_tasks(practice: uuid.UUID) -> tuple[list[DeskTask], int]:
    """What the desk should do, the oldest first, and how many more wait behind those."""
    rows = DeskTask.objects.filter(practice_id=practice, done_at=None)
    shown = list(rows.select_related("share__patient").order_by("created_at")[:TASKS_SHOWN])
    return shown, rows.count() - TASKS_SHOWN if len(shown) == TASKS_SHOWN else 0
