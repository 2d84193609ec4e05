"""The timeline of a chart as a page."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.accounts.permissions import Action, may
from portal.audit import trail
from portal.records.patients import get_patient
from portal.records.timeline import SHOWN_MAX, timeline_of


@may(Action.FIND_PATIENTS)
@require_safe
def timeline(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """What happened to this patient's images, in words."""
    actor = request.actor  # type: ignore[attr-defined]
    patient = get_patient(actor.practice, patient_id)
    trail.record_alone("patient.opened", actor=actor, patient=patient.pk)
    lines = timeline_of(patient)
    page = {"section": "patients", "patient": patient, "lines": lines, "is_cut": len(lines) == SHOWN_MAX}
    return render(request, "records/timeline.html", page)
