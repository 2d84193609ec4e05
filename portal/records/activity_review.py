"""The weekly look at who did what, and the name under it.

What was signed is the trail's own entry, so nobody can sign for a week twice, later, or in somebody else's name.

Source: 45 CFR 164.308(a)(1)(ii)(D), information system activity review.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from portal.audit import trail
from portal.audit.actor import Actor
from portal.audit.models import AuditEntry
from portal.audit.reading import Read, read
from portal.clock import now
from portal.errors import Conflict, InvalidInput
from portal.practice.models import Practice

WEEKS_SHOWN: Final = 8
REASONS_MAX: Final = 100
# What a reviewer looks at first, and the events it counts.
_COUNTED: Final[dict[str, tuple[str, ...]]] = {
    "sign-ins": ("staff.signed-in",),
    "sign-ins refused": ("staff.sign-in-refused", "staff.sign-in-locked"),
    "refused for the role": ("access.refused",),
    "patients opened": ("patient.opened",),
    "series opened": ("series.opened",),
    "shares made": ("share.created",),
    "shares locked": ("share.locked",),
    "wrong numbers": ("share.wrong-number",),
    "opened with a reason": ("access.glass-broken",),
    "downloads": ("study.downloaded",),
    "exports": ("audit.exported",),
    "staff changes": (
        "staff.added",
        "staff.role-changed",
        "staff.deactivated",
        "staff.second-factor-reset",
        "staff.password-reset",
    ),
}


@dataclass(frozen=True, slots=True)
class Week:
    """Monday to Sunday in the practice's time zone. `signed` is the entry's facts, with who and when, or None."""

    starts_on: date
    counts: dict[str, int]
    signed: dict[str, Any] | None
    reasons: list[Read]

    @property
    def ends_on(self) -> date:
        return self.starts_on + timedelta(days=6)


def weeks_of(practice: Practice) -> list[Week]:
    """The last full weeks since the practice was set up, the newest first."""
    signed = _signed(practice)
    monday = _monday(practice)
    opened = practice.created_at.astimezone(ZoneInfo(practice.time_zone)).date()
    weeks = [monday - timedelta(weeks=back) for back in range(1, WEEKS_SHOWN + 1)]
    starts = [day for day in weeks if day + timedelta(days=7) > opened]
    return [
        Week(day, _counts(practice, day), signed.get(day.isoformat()), _reasons(practice, day))
        for day in starts
    ]


def sign_off(practice: Practice, starts_on: date, *, note: str, actor: Actor) -> None:
    """Sign for a week that has ended. Raises InvalidInput for another day, Conflict when it is signed."""
    if starts_on.weekday() != 0 or starts_on >= _monday(practice):
        raise InvalidInput("Only a whole week that has ended can be signed for.")
    with transaction.atomic():
        # The lock on the chain's head makes two who sign at once take turns.
        trail.hold(practice.pk)
        if starts_on.isoformat() in _signed(practice):
            raise Conflict("This week has been signed for already.")
        counts = _counts(practice, starts_on)
        trail.record(
            "audit.reviewed", actor=actor, private={"note": note}, week=starts_on.isoformat(), counts=counts
        )


def _monday(practice: Practice) -> date:
    today = now().astimezone(ZoneInfo(practice.time_zone)).date()
    return today - timedelta(days=today.weekday())


def _entries(practice: Practice, starts_on: date) -> QuerySet[AuditEntry]:
    zone = ZoneInfo(practice.time_zone)
    since = datetime(starts_on.year, starts_on.month, starts_on.day, tzinfo=zone)
    until = since + timedelta(days=7)
    return AuditEntry.objects.filter(practice_id=practice.pk, at__gte=since, at__lt=until)


def _reasons(practice: Practice, starts_on: date) -> list[Read]:
    """Who opened images of patients they had nothing to do with, and why: each is read, not only counted."""
    rows = _entries(practice, starts_on).filter(code="access.glass-broken").order_by("n")
    return [read(row) for row in rows[:REASONS_MAX]]


def _counts(practice: Practice, starts_on: date) -> dict[str, int]:
    rows = _entries(practice, starts_on)
    codes = [code for group in _COUNTED.values() for code in group]
    by_code = Counter(
        {
            row["code"]: row["count"]
            for row in rows.filter(code__in=codes).values("code").annotate(count=Count("pk"))
        }
    )
    return {words: sum(by_code[code] for code in group) for words, group in _COUNTED.items()}


def _signed(practice: Practice) -> dict[str, dict[str, Any]]:
    found = {}
    for entry in AuditEntry.objects.filter(Q(practice_id=practice.pk, code="audit.reviewed")).order_by("n"):
        event = json.loads(bytes(entry.event))
        found[event["facts"]["week"]] = {**event["facts"], "at": entry.at, "n": entry.n, "by": entry.actor_id}
    return found
