"""The chart's timeline: everything that happened to a patient's images, one plain sentence each, the newest first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from portal.records.accounting import purpose_in_words
from portal.records.models import Disclosure, DisclosureEvent, Patient
from portal.records.rights import AccessRequest

SHOWN_MAX: Final = 300
_KINDS: Final = DisclosureEvent.Kind
# Of the recipient: "Riley Chen opened the link."
_THEY: Final = {
    _KINDS.VISITED: "or a robot on the way visited the link",
    _KINDS.OPENED: "opened the link",
    _KINDS.VERIFIED: "entered the code",
    _KINDS.VIEWED: "looked at the pictures",
    _KINDS.DOWNLOADED: "downloaded the files",
    _KINDS.RENEWAL_ASKED: "asked for a new link",
}


class Line(NamedTuple):
    """When, and the sentence."""

    at: datetime
    words: str


def timeline_of(patient: Patient) -> list[Line]:
    """The patient's timeline."""
    lines = [
        Line(patient.created_at, "The patient was added."),
        *_studies(patient),
        *_disclosures(patient),
        *_guardians(patient),
        *_holds(patient),
        *_requests(patient),
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:SHOWN_MAX]


def _studies(patient: Patient) -> Iterator[Line]:
    for study in patient.studies.select_related("created_by"):
        who = f" by {study.created_by.name}" if study.created_by else ""
        yield Line(study.created_at, f"{study.title} was stored{who}: {study.file_count} files.")


def _disclosures(patient: Patient) -> Iterator[Line]:
    rows = Disclosure.objects.filter(patient=patient).select_related("disclosed_by")
    for row in rows.prefetch_related("events"):
        yield Line(row.disclosed_at, _shared(row))
        for event in row.events.all():
            yield Line(event.at, _happened(row, event))


def _shared(row: Disclosure) -> str:
    who = row.disclosed_by.name if row.disclosed_by else "The patient"
    what = "to view and download" if row.allows_download else "to view"
    kind = row.get_recipient_kind_display().lower()
    why = purpose_in_words(row.purpose)
    return f"{who} shared {row.description} with {row.recipient_name} ({kind}), {what}. Reason: {why}."


def _happened(row: Disclosure, event: DisclosureEvent) -> str:
    kind = _KINDS(event.kind)
    if kind in _THEY:
        return f"{row.recipient_name} {_THEY[kind]}."
    return f"Link for {row.recipient_name}: {kind.label.lower()}."


def _guardians(patient: Patient) -> Iterator[Line]:
    for row in patient.guardianships.select_related("verified_by"):
        kind = row.get_kind_display().lower()
        yield Line(
            row.created_at, f"{row.verified_by.name} noted {row.name} as {kind}. Seen: {row.documents}."
        )
        if row.ended_at:
            yield Line(row.ended_at, f"{row.name} no longer acts for the patient.")


def _holds(patient: Patient) -> Iterator[Line]:
    for row in patient.holds.select_related("created_by"):
        whom = f" ({row.name})" if row.name else ""
        kind = row.get_kind_display()
        yield Line(row.created_at, f"{row.created_by.name} placed a hold: {kind}{whom}. {row.reason}.")
        if row.lifted_at:
            yield Line(row.lifted_at, f"The hold was lifted: {kind}{whom}.")


def _requests(patient: Patient) -> Iterator[Line]:
    for row in AccessRequest.objects.filter(patient=patient):
        yield Line(row.created_at, f"{row.requested_by} asked for a copy: {row.wanted}.")
        if row.closed_at and row.state == AccessRequest.State.REFUSED:
            yield Line(row.closed_at, f"The copy was refused: {row.refusal_reason}.")
        elif row.closed_at:
            yield Line(row.closed_at, f"The copy {row.requested_by} asked for was sent.")
