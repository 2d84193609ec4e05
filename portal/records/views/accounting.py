"""The accounting of disclosures: on screen, and as files to hand out in the patient's language."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe

from portal.accounts.permissions import Action, may
from portal.audit import trail
from portal.errors import InvalidInput
from portal.records.accounting import Line, accounting_of
from portal.records.accounting_files import accounting_csv, accounting_pdf, cells, heads
from portal.records.models import Patient
from portal.records.patients import get_patient
from portal.records.pdf import can_print

TYPES = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8", "html": "text/html; charset=utf-8"}


@may(Action.ACCOUNT_DISCLOSURES)
@require_safe
def accounting(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Who got what of this patient in six years. `?as=` makes a file; that it was made stands in the trail.

    Source: 45 CFR 164.528(d) (what was provided, and by whom, is documented).
    """
    actor, form = request.actor, request.GET.get("as", "")  # type: ignore[attr-defined]
    patient = get_patient(actor.practice, patient_id)
    if form and form not in TYPES:
        raise InvalidInput("This form isn't offered. Choose PDF, CSV or HTML.")
    lines = accounting_of(patient)
    trail.record_alone(
        "accounting.made", actor=actor, patient=patient.pk, lines=len(lines), form=form or "page"
    )
    if not form:
        written = " ".join([patient.name, *(f"{line.recipient} {line.address}" for line in lines)])
        page = {"section": "patients", "patient": patient, "lines": lines, "can_print": can_print(written)}
        return render(request, "records/accounting.html", page)
    with translation.override(patient.language):
        body = _body(request, form, patient, accounting_of(patient))
    # A name that says nothing of the patient: it lands in the folder of downloads.
    headers = {"Content-Disposition": f'attachment; filename="accounting.{form}"'}
    return HttpResponse(body, content_type=TYPES[form], headers=headers)


def _body(request: HttpRequest, form: str, patient: Patient, lines: list[Line]) -> bytes:
    zone = ZoneInfo(patient.practice.time_zone)
    if form == "csv":
        return accounting_csv(lines, zone)
    if form == "pdf":
        return accounting_pdf(patient, lines, zone)
    context = {"patient": patient, "heads": heads(), "rows": [cells(line, zone) for line in lines]}
    return render(request, "records/accounting_document.html", context).content
