"""The trail as pages, for those who answer for the practice: search, export, the weekly review."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.models import User
from portal.accounts.permissions import Action, may
from portal.accounts.step_up import require_fresh
from portal.audit import trail as audit
from portal.audit.exports import fhir, table
from portal.audit.exports.told import tell
from portal.audit.reading import read
from portal.audit.search import find
from portal.errors import InvalidInput
from portal.practice.models import Practice
from portal.records import activity_review
from portal.records.forms import ReasonForm
from portal.records.trail_forms import ExportForm, TrailForm

SHOWN = 200
_AT_ONCE = 500


@may(Action.READ_TRAIL)
@require_safe
def trail(request: HttpRequest) -> HttpResponse:
    """Entries that were asked for, the newest first; reading them is an entry too."""
    actor = request.actor  # type: ignore[attr-defined]
    form = TrailForm(_practice(request), request.GET)
    rows = list(find(form.wanted())[: SHOWN + 1]) if form.is_valid() else []
    entries = [read(row) for row in rows[:SHOWN]]
    audit.record_alone("audit.read", actor=actor, entries=len(entries))
    page: dict[str, Any] = {"section": "trail", "form": form, "entries": entries, "asked": _asked(form)}
    if len(rows) > SHOWN:
        page["older"] = entries[-1].n
    return render(request, "records/trail.html", page, status=422 if form.errors else 200)


@may(Action.READ_TRAIL)
@require_POST
def export_trail(request: HttpRequest) -> HttpResponseBase:
    """The entries as a file. Its own entry is written before the first byte leaves."""
    require_fresh(request, back=reverse("trail"))
    form = ExportForm(_practice(request), request.POST)
    if not form.is_valid():
        raise InvalidInput("The trail can't be exported like this. Go back and search again.")
    kind, found = form.cleaned_data["format"], find(form.wanted())
    count = found.count()
    audit.record_alone(
        "audit.exported",
        actor=request.actor,  # type: ignore[attr-defined]
        format=kind,
        entries=count,
    )
    told = tell(found[:count].iterator(chunk_size=_AT_ONCE))
    lines, media, name = {
        "csv": (table.lines(told), "text/csv; charset=utf-8", "trail.csv"),
        "fhir": (
            fhir.lines(told, origin=settings.PUBLIC_BASE_URL),
            "application/fhir+ndjson",
            "trail.ndjson",
        ),
    }[kind]
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(lines, content_type=media, headers=headers)


@may(Action.READ_TRAIL)
@require_safe
def activity(request: HttpRequest) -> HttpResponse:
    """The last weeks in figures, and who signed for them."""
    return _activity(request, ReasonForm())


@may(Action.READ_TRAIL)
@require_POST
def sign_activity(request: HttpRequest) -> HttpResponse:
    """The reviewer's name under a week."""
    form = ReasonForm(request.POST)
    try:
        starts_on = date.fromisoformat(request.POST.get("week", ""))
    except ValueError:
        raise InvalidInput from None
    if not form.is_valid():
        return _activity(request, form, starts_on)
    activity_review.sign_off(
        _practice(request),
        starts_on,
        note=form.cleaned_data["reason"],
        actor=request.actor,  # type: ignore[attr-defined]
    )
    messages.success(request, "Signed. It stands in the trail.")
    return redirect("activity")


def _activity(request: HttpRequest, form: ReasonForm, refused: date | None = None) -> HttpResponse:
    weeks = activity_review.weeks_of(_practice(request))
    form.fields["reason"].label = "What you looked at, and what you found"
    names = dict(
        User.objects.filter(pk__in=[week.signed["by"] for week in weeks if week.signed]).values_list(
            "pk", "name"
        )
    )
    rows = [
        {"week": week, "name": names.get(week.signed["by"], "") if week.signed else "", "form": form}
        for week in weeks
    ]
    page = {"section": "trail", "rows": rows, "refused": refused}
    return render(request, "records/activity.html", page, status=422 if form.errors else 200)


def _practice(request: HttpRequest) -> Practice:
    return Practice.objects.get(pk=request.actor.practice)  # type: ignore[attr-defined]


def _asked(form: TrailForm) -> dict[str, str]:
    """What was asked, without the page, to ask it again."""
    return {
        name: value for name, value in form.data.items() if value and name in form.fields and name != "before"
    }
