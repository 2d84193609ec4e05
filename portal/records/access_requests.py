"""Requests for a copy of the images: the 30-day clock, one extension in writing, a refusal with its reason.

Source: 45 CFR 164.524(b)(2) (30 days, once 30 more), (d) (denial in writing, with the basis).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import Conflict, InvalidInput, NotFound
from portal.practice.models import Practice
from portal.records.models import Disclosure, Patient
from portal.records.rights import AccessRequest
from portal.records.written_words import written_words

ANSWER_DAYS: Final = 30
ALERT_DAY: Final = 20
_OPEN: Final = AccessRequest.State.OPEN


@dataclass(frozen=True, slots=True)
class Clock:
    """A request and where its clock stands: `day` counts from the day after it came."""

    request: AccessRequest
    day: int
    days_left: int

    @property
    def is_urgent(self) -> bool:
        """From day 20 of the first thirty, or in the last ten days of the longer time."""
        return self.days_left <= ANSWER_DAYS - ALERT_DAY

    @property
    def is_late(self) -> bool:
        return self.days_left < 0


def today_at(practice: Practice) -> date:
    """The day it is where the practice is."""
    return now().astimezone(ZoneInfo(practice.time_zone)).date()


def open_request(
    patient: Patient, *, requested_by: str, wanted: str, received_on: date, actor: Actor
) -> AccessRequest:
    """Note that somebody asked; the clock runs from the day it came. Raises `InvalidInput`."""
    if patient.practice_id != actor.practice or actor.id is None:
        raise NotFound
    today = today_at(patient.practice)
    if not today - timedelta(days=365) <= received_on <= today:
        raise InvalidInput("Enter the day it came: today, or a day before.", field="received_on")
    request = AccessRequest(
        practice_id=patient.practice_id,
        patient=patient,
        requested_by=written_words(requested_by, "requested_by", "Enter who asks."),
        wanted=written_words(wanted, "wanted", "Write down what they ask for."),
        received_on=received_on,
        due_on=received_on + timedelta(days=ANSWER_DAYS),
        created_by_id=actor.id,
        created_at=now(),
    )
    with transaction.atomic():
        request.save(force_insert=True)
        trail.record(
            "request.opened",
            actor=actor,
            patient=patient.pk,
            private={"by": request.requested_by, "wanted": request.wanted},
            due_on=request.due_on.isoformat(),
        )
    return request


def extend_request(request: AccessRequest, *, reason: str, actor: Actor) -> None:
    """Thirty days more, once; the patient must be told why, in writing. Raises `Conflict` the second time."""
    reason = written_words(
        reason, "reason", "Write down why it takes longer; the patient is told in writing."
    )
    with transaction.atomic():
        row = _locked(request, actor)
        if row.extension_reason is not None:
            raise Conflict("The time can be made longer once only.")
        row.due_on += timedelta(days=ANSWER_DAYS)
        row.extension_reason = reason
        row.save()
        trail.record("request.extended", actor=actor, patient=row.patient_id, private={"reason": reason})


def refuse_request(request: AccessRequest, *, reason: str, actor: Actor) -> None:
    """No copy, and why not. Raises `InvalidInput` without a reason, `Conflict` when it is closed already."""
    reason = written_words(reason, "reason", "A refusal needs its reason; the patient is told in writing.")
    with transaction.atomic():
        row = _locked(request, actor)
        row.refusal_reason = reason
        _close(row, AccessRequest.State.REFUSED, actor)
        trail.record("request.refused", actor=actor, patient=row.patient_id, private={"reason": reason})


def close_request(request: AccessRequest, disclosure: Disclosure, *, actor: Actor) -> None:
    """It was answered by this disclosure, in the caller's transaction. Raises `Conflict` when it is closed already."""
    row = _locked(request, actor)
    row.disclosure = disclosure
    _close(row, AccessRequest.State.FULFILLED, actor)
    trail.record("request.fulfilled", actor=actor, patient=row.patient_id, disclosure=str(disclosure.pk))


def _locked(request: AccessRequest, actor: Actor) -> AccessRequest:
    """The open request, its row locked: of two answers at once, the second finds it closed."""
    if request.practice_id != actor.practice or actor.id is None:
        raise NotFound
    row = AccessRequest.objects.select_for_update().get(pk=request.pk)
    if row.state != _OPEN:
        raise Conflict("This request was answered already.")
    return row


def _close(row: AccessRequest, state: str, actor: Actor) -> None:
    row.state, row.closed_at, row.closed_by_id = state, now(), actor.id
    row.save()


def get_request(practice: UUID, request_id: UUID) -> AccessRequest:
    """The practice's request. Raises `NotFound`."""
    rows = AccessRequest.objects.filter(practice_id=practice, pk=request_id)
    row = rows.select_related("patient__practice").first()
    if row is None:
        raise NotFound
    return row


def open_requests(practice: Practice) -> list[Clock]:
    """What waits for an answer, the most urgent first."""
    rows = AccessRequest.objects.filter(practice=practice, state=_OPEN).select_related("patient")
    today = today_at(practice)
    return [
        Clock(row, day=(today - row.received_on).days, days_left=(row.due_on - today).days)
        for row in rows.order_by("due_on", "created_at")
    ]


def urgent_requests(practice: Practice) -> list[Clock]:
    """Those that have reached day 20."""
    return [clock for clock in open_requests(practice) if clock.is_urgent]
