"""The installation's own chain, under the nil id: acts on keys and backups that belong to no practice alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from portal.audit.actor import system
from portal.audit.events import OK
from portal.audit.models import AuditEntry
from portal.audit.trail import record_alone
from portal.clock import now
from portal.sealed.keys import INSTALLATION


@dataclass(frozen=True, slots=True)
class Act:
    """When something was last done, and its facts."""

    at: datetime
    facts: dict[str, Any]


def note(code: str, **facts: Any) -> AuditEntry:
    """Write an act of the installation, by whoever runs its commands."""
    return record_alone(code, actor=system(INSTALLATION), **facts)


def last(code: str) -> Act | None:
    """The newest act of this code that succeeded, or None when there was none."""
    done = AuditEntry.objects.filter(practice_id=INSTALLATION, code=code, outcome=OK)
    entry = done.order_by("-n").first()
    return Act(entry.at, json.loads(bytes(entry.event)).get("facts", {})) if entry else None


def escrow_is_overdue(active_version: int) -> bool:
    """Whether no escrow sheet with the active key version was opened in the last ninety days."""
    act = last("keyring.escrow-verified")
    if act is None or active_version not in act.facts.get("versions", ()):
        return True
    return now() - act.at > timedelta(days=settings.ESCROW_VERIFY_DAYS)
