"""Quarantine: files whose patient isn't the chart's, for someone with the right to decide about."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.permissions import Action, may
from portal.records import quarantine as verbs
from portal.records.forms import ReasonForm
from portal.records.models import QuarantinedGroup


@may(Action.RESOLVE_QUARANTINE)
@require_safe
def quarantine(request: HttpRequest) -> HttpResponse:
    """Every group that is held."""
    return _page(request)


@may(Action.RESOLVE_QUARANTINE)
@require_POST
def discard_group(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """The files came to the wrong place: destroy them."""
    group, form = _group(request, group_id), ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, group, form)
    verbs.discard(group, reason=form.cleaned_data["reason"], actor=request.actor)  # type: ignore[attr-defined]
    messages.success(request, "The files were destroyed.")
    return redirect("quarantine")


@may(Action.RESOLVE_QUARANTINE)
@require_POST
def accept_group(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """It is the same person after all (a maiden name, a typing error): put the files onto the chart."""
    group, form = _group(request, group_id), ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, group, form)
    verbs.accept(group, reason=form.cleaned_data["reason"], actor=request.actor)  # type: ignore[attr-defined]
    messages.success(request, "The files go onto the chart. The originals stay as they came.")
    return redirect("quarantine")


def _group(request: HttpRequest, group_id: UUID) -> QuarantinedGroup:
    return verbs.get_group(request.actor.practice, group_id)  # type: ignore[attr-defined]


def _page(
    request: HttpRequest, refused: QuarantinedGroup | None = None, form: ReasonForm | None = None
) -> HttpResponse:
    groups = verbs.held_groups(request.actor.practice)  # type: ignore[attr-defined]
    rows = [
        {
            "group": group,
            "form": form if refused and group.pk == refused.pk else ReasonForm(auto_id=f"{group.pk}-%s"),
        }
        for group in groups
    ]
    page = {"section": "quarantine", "rows": rows}
    return render(request, "records/quarantine.html", page, status=422 if form else 200)
