"""Who acts for a patient, and who must not have their images: one page, five deeds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.permissions import Action, may
from portal.errors import InvalidInput, NotFound
from portal.records.forms import refused
from portal.records.guardians import add_guardian, majority_of, stands
from portal.records.holds import permit_one
from portal.records.models import Patient
from portal.records.patients import get_patient
from portal.records.rights import Guardianship, Hold
from sharing import guardians
from sharing.rights_forms import GuardianForm, HoldForm
from sharing.suspension import hold_back, release_hold


@may(Action.FIND_PATIENTS)
@require_safe
def rights(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The guardians and the holds of a patient."""
    return _page(request, get_patient(request.actor.practice, patient_id))  # type: ignore[attr-defined]


@may(Action.SHARE)
@require_POST
def new_guardian(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Note a parent, a guardian or a representative."""
    actor = request.actor  # type: ignore[attr-defined]
    patient, form = get_patient(actor.practice, patient_id), GuardianForm(request.POST, auto_id="guardian_%s")
    if form.is_valid():
        try:
            add_guardian(patient, actor=actor, **form.deed())
            messages.success(request, "Noted. Links to them end when their standing ends.")
            return redirect("rights", patient.pk)
        except InvalidInput as error:
            refused(form, error)
    return _page(request, patient, guardian_form=form)


@may(Action.SHARE)
@require_POST
def end_guardian(request: HttpRequest, guardian_id: UUID) -> HttpResponse:
    """They act no longer, and their links end now."""
    row = _own(request, Guardianship, guardian_id)
    ended = guardians.end_guardian(row, actor=request.actor)  # type: ignore[attr-defined]
    messages.success(request, f"They act no longer. {_links(ended)} ended.")
    return redirect("rights", row.patient_id)


@may(Action.FIND_PATIENTS)
@require_POST
def new_hold(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Stop sharing, with one person or altogether. Everybody at the desk may stop; not everybody may go on."""
    actor = request.actor  # type: ignore[attr-defined]
    patient, form = get_patient(actor.practice, patient_id), HoldForm(request.POST, auto_id="hold_%s")
    if form.is_valid():
        try:
            stopped = hold_back(patient, actor=actor, **form.deed())
            messages.success(request, f"The hold stands. {_links(stopped)} stopped.")
            return redirect("rights", patient.pk)
        except InvalidInput as error:
            refused(form, error)
    return _page(request, patient, hold_form=form)


@may(Action.LIFT_HOLDS)
@require_POST
def lift_hold(request: HttpRequest, hold_id: UUID) -> HttpResponse:
    """The reason is gone; suspended shares go on."""
    row = _own(request, Hold, hold_id)
    try:
        resumed = release_hold(row, reason=request.POST.get("reason", ""), actor=request.actor)  # type: ignore[attr-defined]
    except InvalidInput as error:
        return _page(request, row.patient, hold_error=(row.pk, error.sentence))
    messages.success(request, f"The hold is lifted. {_links(resumed)} can be used again.")
    return redirect("rights", row.patient_id)


@may(Action.LIFT_HOLDS)
@require_POST
def permit_hold(request: HttpRequest, hold_id: UUID) -> HttpResponse:
    """Allow one share of a restricted patient, within a day."""
    row = _own(request, Hold, hold_id)
    try:
        permit_one(row, reason=request.POST.get("reason", ""), actor=request.actor)  # type: ignore[attr-defined]
    except InvalidInput as error:
        return _page(request, row.patient, hold_error=(row.pk, error.sentence))
    messages.success(request, "One share is allowed within 24 hours.")
    return redirect("rights", row.patient_id)


def _own(request: HttpRequest, kind: Any, row_id: UUID) -> Any:
    row = kind.objects.filter(practice_id=request.actor.practice, pk=row_id)  # type: ignore[attr-defined]
    found = row.select_related("patient__practice", "practice").first()
    if found is None:
        raise NotFound
    return found


def _links(count: int) -> str:
    return "1 link" if count == 1 else f"{count} links"


def _page(
    request: HttpRequest,
    patient: Patient,
    *,
    guardian_form: forms.Form | None = None,
    hold_form: forms.Form | None = None,
    hold_error: tuple[UUID, str] | None = None,
) -> HttpResponse:
    rows = patient.guardianships.select_related("practice", "verified_by").order_by("-created_at")
    context = {
        "section": "patients",
        "patient": patient,
        "majority": majority_of(patient.birthdate),
        "guardians": [(row, stands(row)) for row in rows],
        "holds": patient.holds.select_related("created_by").order_by("lifted_at", "-created_at"),
        "guardian_form": guardian_form or GuardianForm(auto_id="guardian_%s"),
        "hold_form": hold_form or HoldForm(auto_id="hold_%s"),
        "hold_error": hold_error,
    }
    status = 422 if guardian_form or hold_form or hold_error else 200
    return render(request, "sharing/rights.html", context, status=status)
