"""The trail as a page: the latest entries in words, for those who answer for the practice."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.accounts.permissions import Action, may
from portal.audit import trail as audit
from portal.audit.reading import latest

SHOWN = 200


@may(Action.READ_TRAIL)
@require_safe
def trail(request: HttpRequest) -> HttpResponse:
    """The last entries, the newest first; reading them is an entry too."""
    actor = request.actor  # type: ignore[attr-defined]
    entries = latest(actor.practice, SHOWN)
    audit.record_alone("audit.read", actor=actor, entries=len(entries))
    return render(request, "records/trail.html", {"section": "trail", "entries": entries, "shown": SHOWN})
