"""Adding a patient, and the patient's page."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts.forms import posted
from portal.accounts.permissions import Action, may
from portal.audit import trail
from portal.clock import now
from portal.errors import InvalidInput
from portal.records.forms import PatientForm, refused
from portal.records.guardians import guardians_of
from portal.records.models import Contact, Patient
from portal.records.patients import add_patient, change_patient, get_patient
from portal.records.retention import standing_legal_holds
from portal.records.rights import open_holds
from portal.records.templatetags.desk import phone
from portal.records.views.record import record_of


@may(Action.ADD_PATIENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def new_patient(request: HttpRequest) -> HttpResponse:
    """The form for a new patient."""
    actor = request.actor  # type: ignore[attr-defined]
    form = PatientForm(posted(request), initial={"language": request.practice.language})  # type: ignore[attr-defined]
    if form.is_valid():
        try:
            patient = add_patient(practice_id=actor.practice, actor=actor, **form.deed())
            messages.success(request, "The patient is added. Drop the images on this page.")
            return redirect("patient", patient.pk)
        except InvalidInput as error:
            refused(form, error)
    page = {"section": "patients", "form": form, "has_look_alike": "is_confirmed" in form.errors}
    return render(request, "records/new_patient.html", page, status=422 if form.errors else 200)


@may(Action.ADD_PATIENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def correct_patient(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The same form for one who is here: a wrong birth date keeps its patient out of every scan."""
    actor = request.actor  # type: ignore[attr-defined]
    row = get_patient(actor.practice, patient_id)
    form = PatientForm(posted(request), initial=_particulars(row))
    if form.is_valid():
        try:
            change_patient(get_patient(actor.practice, patient_id), actor=actor, **form.deed())
            messages.success(request, "Corrected. What stood there before is kept in the trail.")
            return redirect("patient", row.pk)
        except InvalidInput as error:
            refused(form, error)
    page = {
        "section": "patients",
        "patient": row,
        "form": form,
        "has_look_alike": "is_confirmed" in form.errors,
    }
    return render(request, "records/correct_patient.html", page, status=422 if form.errors else 200)


def _particulars(patient: Patient) -> dict[str, object]:
    own = patient.contacts.filter(relationship=Contact.Relationship.SELF)
    names = ("family_name", "given_name", "birthdate", "chart_number", "language")
    return {
        **{name: getattr(patient, name) for name in names},
        **{contact.kind: phone(contact.value) for contact in own},
    }


@may(Action.FIND_PATIENTS)
@require_safe
def patient(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The patient's page: who, which images, which disclosures."""
    actor = request.actor  # type: ignore[attr-defined]
    row = get_patient(actor.practice, patient_id)
    trail.record_alone("patient.opened", actor=actor, patient=row.pk)
    today = now().date()
    had_birthday = (today.month, today.day) >= (row.birthdate.month, row.birthdate.day)
    page = {
        "section": "patients",
        "patient": row,
        "age": today.year - row.birthdate.year - (0 if had_birthday else 1),
        "contacts": row.contacts.order_by("kind", "created_at"),
        "holds": open_holds(row).order_by("created_at"),
        "guardians": guardians_of(row),
        "legal_holds": standing_legal_holds(row),
        **record_of(row, actor),
    }
    return render(request, "records/patient.html", page)
