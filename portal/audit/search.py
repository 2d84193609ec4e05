"""Searching the trail: by time, by what happened, by who, by whose record. The newest first."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q, QuerySet

from portal.audit.events import EVENTS
from portal.audit.models import AuditEntry

# What people look for, and the first words of the events it takes.
SUBJECTS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "images": ("Images opened or downloaded", ("series.", "study.down", "chairside.")),
    "shares": ("Shares, codes and numbers", ("share.", "number.")),
    "patients": (
        "Patients' records",
        ("patient.", "hold.", "guardian.", "request.", "accounting.", "access.glass"),
    ),
    "incoming": ("Images that came in", ("upload.", "study.stored", "study.quarantined", "quarantine.")),
    "staff": ("Staff and sign-ins", ("staff.", "practice.", "access.")),
    "refused": ("Everything refused or failed", ()),
    "keys": (
        "Keys, backups, destruction",
        (
            "keyring.",
            "backup.",
            "study.shred",
            "study.deleted",
            "vault.",
            "system.",
            "retention.",
            "legal-hold.",
        ),
    ),
    "trail": ("Trail and agreements", ("audit.", "associate.", "agreement.", "compliance.")),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for in one practice's chain; everything left out is not asked about. `before` is an entry's n."""

    practice: uuid.UUID
    since: datetime | None = None
    until: datetime | None = None
    subject: str = ""
    actor: uuid.UUID | None = None
    patient: uuid.UUID | None = None
    before: int | None = None


def find(wanted: Wanted) -> QuerySet[AuditEntry]:
    """The entries, the newest first."""
    rows = AuditEntry.objects.filter(practice_id=wanted.practice)
    exact = {"actor_id": wanted.actor, "patient_id": wanted.patient}
    limits = {"at__gte": wanted.since, "at__lt": wanted.until, "n__lt": wanted.before}
    asked = {name: value for name, value in {**exact, **limits}.items() if value is not None}
    rows = rows.filter(**asked)
    if wanted.subject == "refused":
        rows = rows.exclude(outcome="ok")
    elif wanted.subject:
        rows = rows.filter(_of(wanted.subject))
    return rows.order_by("-n")


def _of(subject: str) -> Q:
    """The codes by name: a list the index on (practice, code, at) can use."""
    starts = SUBJECTS[subject][1]
    return Q(code__in=[code for code in EVENTS if code.startswith(starts)])
