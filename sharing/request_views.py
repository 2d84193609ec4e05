"""Requests for a copy: the list with its clock, and the answer in one tap."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts.forms import posted
from portal.accounts.permissions import Action, may
from portal.errors import InvalidInput
from portal.records.access_requests import (
    extend_request,
    get_request,
    open_request,
    open_requests,
    refuse_request,
    today_at,
)
from portal.records.forms import refused
from portal.records.patients import get_patient
from portal.records.rights import AccessRequest
from sharing.fulfil import fulfil
from sharing.models import Channel

CLOSED_SHOWN = 20


class RequestForm(forms.Form):
    requested_by = forms.CharField(
        label="Who asks", max_length=120, error_messages={"required": "Enter who asks."}
    )
    wanted = forms.CharField(
        label="What they ask for",
        max_length=300,
        initial="A copy of all images",
        error_messages={"required": "Write down what they ask for."},
    )
    received_on = forms.DateField(
        label="The day it came",
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Enter the day it came.", "invalid": "This is not a date."},
    )


@may(Action.FIND_PATIENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def new_request(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Note that somebody asked for a copy."""
    actor, practice = request.actor, request.practice  # type: ignore[attr-defined]
    patient = get_patient(actor.practice, patient_id)
    form = RequestForm(
        posted(request), initial={"requested_by": patient.name, "received_on": today_at(practice)}
    )
    if form.is_valid():
        try:
            open_request(patient, actor=actor, **form.cleaned_data)
            messages.success(request, "Noted. The clock runs: 30 days to answer.")
            return redirect("access_requests")
        except InvalidInput as error:
            refused(form, error)
    page = {"section": "requests", "patient": patient, "form": form}
    return render(request, "sharing/new_request.html", page, status=422 if form.errors else 200)


@may(Action.FIND_PATIENTS)
@require_safe
def access_requests(request: HttpRequest) -> HttpResponse:
    """What waits for an answer, the most urgent first."""
    return _page(request)


@may(Action.SHARE)
@require_POST
def fulfil_request(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """One tap: everything is shared with who asked, with the download."""
    row = _own(request, request_id)
    try:
        share = fulfil(row, actor=request.actor)  # type: ignore[attr-defined]
    except InvalidInput as error:
        return _page(request, (row.pk, error.sentence))
    if share.channel == Channel.LETTER:
        messages.success(request, "The share is made. There is no number on file, so print the letter.")
        return redirect("letter", share.pk)
    messages.success(request, "The link is on its way, and the request is answered.")
    return redirect("patient", share.patient_id)


@may(Action.LIFT_HOLDS)
@require_POST
def refuse(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """No copy, and why."""
    return _with_reason(request, request_id, refuse_request, "Refused. Tell the patient why, in writing.")


@may(Action.LIFT_HOLDS)
@require_POST
def extend(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Thirty days more, once."""
    return _with_reason(
        request, request_id, extend_request, "30 days more. Tell the patient why, in writing."
    )


def _with_reason(request: HttpRequest, request_id: UUID, deed: Any, done: str) -> HttpResponse:
    row = _own(request, request_id)
    try:
        deed(row, reason=request.POST.get("reason", ""), actor=request.actor)  # type: ignore[attr-defined]
    except InvalidInput as error:
        return _page(request, (row.pk, error.sentence))
    messages.success(request, done)
    return redirect("access_requests")


def _own(request: HttpRequest, request_id: UUID) -> AccessRequest:
    return get_request(request.actor.practice, request_id)  # type: ignore[attr-defined]


def _page(request: HttpRequest, error: tuple[UUID, str] | None = None) -> HttpResponse:
    practice = request.practice  # type: ignore[attr-defined]
    closed = AccessRequest.objects.filter(practice=practice).exclude(state=AccessRequest.State.OPEN)
    page = {
        "section": "requests",
        "clocks": open_requests(practice),
        "closed": closed.select_related("patient", "closed_by").order_by("-closed_at")[:CLOSED_SHOWN],
        "error": error,
    }
    return render(request, "sharing/requests.html", page, status=422 if error else 200)
