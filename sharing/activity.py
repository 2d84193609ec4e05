"""Who opened the scan: what the record tells the person it is about.

A patient, or who acts for one, sees every disclosure of theirs; a dentist sees their own.

Source: 45 CFR 164.528 asks for less; this list is free and complete.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.utils.translation import gettext as _

from portal.records.models import Disclosure, DisclosureEvent
from sharing.models import Share

SHOWN_MAX: Final = 100
ONE_OPENING: Final = timedelta(minutes=10)
_KINDS: Final = DisclosureEvent.Kind
# What is between the desk and the telephone network; the rest is told.
UNTOLD: Final = frozenset(
    {
        _KINDS.QUEUED, _KINDS.HELD, _KINDS.SEND_FAILED, _KINDS.DELIVERED, _KINDS.UNDELIVERED, _KINDS.UNDONE,
        _KINDS.RENEWAL_ASKED, _KINDS.VISITED,
    }
)  # fmt: skip


class Line(NamedTuple):
    """One thing that happened: when, with whose link, in words."""

    at: datetime
    who: str
    words: str


def activity_of(share: Share) -> list[Line]:
    """What happened to the patient's scans, newest first."""
    disclosures = Disclosure.objects.filter(practice_id=share.practice_id, patient_id=share.patient_id)
    if share.disclosure.recipient_kind == Disclosure.Recipient.DENTIST:
        disclosures = disclosures.filter(pk=share.disclosure_id)
    names = {one.pk: one.recipient_name for one in disclosures}
    events = DisclosureEvent.objects.filter(disclosure_id__in=names).exclude(kind__in=UNTOLD)
    events = events.order_by("-at", "-pk")
    lines = [Line(event.at, names[event.disclosure_id], told(event)) for event in events[:SHOWN_MAX]]
    return [line for before, line in zip([None, *lines], lines, strict=False) if not _repeats(line, before)]


def _repeats(line: Line, before: Line | None) -> bool:
    """The series of a study are opened one after another: for the reader that is one opening."""
    return before is not None and before[1:] == line[1:] and before.at - line.at < ONE_OPENING


def told(event: DisclosureEvent) -> str:
    """An event in the reader's words."""
    kind = _KINDS(event.kind)
    if kind == _KINDS.REVOKED and event.facts.get("by") == "recipient":
        return _("You ended the link.")
    return {
        _KINDS.SENT: _("The link was sent."),
        _KINDS.PRINTED: _("The letter was printed."),
        _KINDS.OPENED: _("The link was opened."),
        _KINDS.VERIFIED: _("The code was entered."),
        _KINDS.VIEWED: _("The pictures were opened."),
        _KINDS.DOWNLOADED: _("The pictures were downloaded."),
        _KINDS.LOCKED: _("The link was locked after too many tries."),
        _KINDS.UNLOCKED: _("The dental office unlocked the link."),
        _KINDS.REVOKED: _("The dental office ended the link."),
        _KINDS.EXPIRED: _("The link ended."),
        _KINDS.EXTENDED: _("The link works longer."),
        _KINDS.NUMBER_CHANGED: _("The link went to a new number."),
        _KINDS.IMAGES_ADDED: _("Pictures were added."),
        _KINDS.IMAGES_REMOVED: _("Pictures were taken out."),
        _KINDS.WRONG_NUMBER: _("The number was wrong, so the link ended."),
        _KINDS.LOST_PHONE: _("The phone was lost, so the link ended."),
        _KINDS.SUSPENDED: _("The dental office paused the link."),
        _KINDS.RESUMED: _("The link works again."),
    }[kind]
