"""The Compliance page: every safeguard as it stands now, on one page that can be printed for an auditor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.accounts.permissions import Action, may
from portal.audit.trail import record_alone
from portal.clock import now
from portal.compliance import access, evidence, storage
from portal.compliance.safeguard import Safeguard

SAFEGUARDS: Final[tuple[Callable[[UUID], Safeguard], ...]] = (
    storage.encryption,
    storage.keys_apart,
    storage.places,
    access.transmission,
    access.second_factor,
    access.roles,
    evidence.trail,
    evidence.witnesses,
    evidence.disclosures,
    access.agreements,
    storage.backup,
    storage.drill,
    storage.scrub,
)


@may(Action.READ_COMPLIANCE)
@require_safe
def compliance(request: HttpRequest) -> HttpResponse:
    """All safeguards, read from the running system; reading them is an entry too."""
    actor = request.actor  # type: ignore[attr-defined]
    safeguards = [look(actor.practice) for look in SAFEGUARDS]
    risks = [one for one in safeguards if one.state != "good"]
    record_alone("compliance.read", actor=actor, risks=len(risks))
    page = {"section": "compliance", "safeguards": safeguards, "risks": risks, "at": now()}
    return render(request, "compliance/compliance.html", page)
