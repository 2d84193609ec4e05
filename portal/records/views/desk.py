"""The desk's first page: one search box, the latest patients, and what waits for someone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.permissions import Action, may
from portal.audit import trail
from portal.records.models import Upload
from portal.records.search import HITS_MAX, find_patients, recent_patients
from portal.records.upload_status import describe
from portal.records.views import live

SHORTEST_SEARCH = 2


@may(Action.FIND_PATIENTS)
@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    """The search box with the cursor in it."""
    patients = recent_patients(request.actor.practice)  # type: ignore[attr-defined]
    return render(request, "records/desk.html", {"section": "patients", "patients": patients, "text": ""})


@may(Action.FIND_PATIENTS)
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """Patients for what was typed. By POST, because names don't belong into an address.

    The type-ahead gets the list; Enter opens the only hit or shows the page with all of them.
    """
    actor, text = request.actor, request.POST.get("text", "").strip()  # type: ignore[attr-defined]
    # A letter on the way to a name isn't asked about, but some names are one letter long: then Enter says so.
    searched = len(text) >= SHORTEST_SEARCH or bool(text and not request.htmx)  # type: ignore[attr-defined]
    patients = find_patients(actor.practice, text) if searched else recent_patients(actor.practice)
    if searched:
        trail.record_alone("patient.searched", actor=actor, private={"text": text}, hits=len(patients))
    page = {
        "section": "patients",
        "patients": patients,
        "text": text,
        "searched": searched,
        "is_cut": searched and len(patients) == HITS_MAX,
    }
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "records/_patients.html", page)
    if searched and len(patients) == 1:
        return redirect("patient", patients[0].pk)
    return render(request, "records/desk.html", page)


@may(Action.UPLOAD)
@require_safe
def arriving(request: HttpRequest) -> HttpResponse:
    """Uploads of the whole practice that are under way or went wrong."""
    states = (Upload.State.RECEIVING, Upload.State.WAITING, Upload.State.FAILED)
    uploads = Upload.objects.filter(practice_id=request.actor.practice, state__in=states)  # type: ignore[attr-defined]
    rows = [
        {"patient": upload.patient, **describe(upload)} for upload in uploads.select_related("patient")[:20]
    ]
    state = [(row["patient"].pk, row["state"], row["files_done"], row["sentence"]) for row in rows]
    return live.answer(request, "records/_arriving.html", {"uploads": rows}, state=state)
