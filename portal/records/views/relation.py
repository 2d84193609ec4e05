"""The page that asks why, before images of somebody one has nothing to do with are opened."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from portal.accounts.forms import posted
from portal.accounts.permissions import Action, may
from portal.accounts.sign_in import is_ours
from portal.records.forms import ReasonForm
from portal.records.patients import get_patient
from portal.records.relation import break_glass as break_the_glass
from portal.records.relation import why_not
from portal.records.relation_rows import BrokenGlass


@may(Action.VIEW_IMAGES)
@require_http_methods(["GET", "HEAD", "POST"])
def break_glass(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Say why, and go on to the images."""
    actor, form = request.actor, ReasonForm(posted(request))  # type: ignore[attr-defined]
    patient = get_patient(actor.practice, patient_id)
    next_page = request.POST.get("next") or request.GET.get("next", "")
    if form.is_valid():
        break_the_glass(patient, reason=form.cleaned_data["reason"], actor=actor)
        return redirect(
            next_page if is_ours(next_page) else "patient", *([] if is_ours(next_page) else [patient.pk])
        )
    page = {
        "section": "patients",
        "patient": patient,
        "form": form,
        "next": next_page,
        "is_restricted": why_not(actor.id, patient.pk) == BrokenGlass.Why.RESTRICTED,
    }
    return render(request, "records/break_glass.html", page, status=422 if form.errors else 200)
