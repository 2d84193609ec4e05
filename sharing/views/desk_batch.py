"""A day's images to their patients at once: who waits, what can't be sent and why, what became of each."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from portal.accounts.forms import posted
from portal.accounts.permissions import Action, may
from portal.clock import now
from portal.errors import InvalidInput
from portal.records.forms import refused
from sharing.batch import Outcome, issue_batch, who_waits


class BatchForm(forms.Form):
    form_key = forms.UUIDField(widget=forms.HiddenInput)
    patients = forms.TypedMultipleChoiceField(
        coerce=uuid.UUID,
        label="Patients",
        error_messages={
            "required": "Choose at least one patient.",
            "invalid_choice": "One of them is no longer waiting. Please reload the page.",
        },
    )
    consent = forms.BooleanField(
        label="Each of them asked for it",
        error_messages={"required": "Ask each patient first, then tick the box."},
    )

    def __init__(self, patients: list[str], data: object = None) -> None:
        super().__init__(data, initial={"form_key": uuid.uuid4()})  # type: ignore[arg-type]
        self.fields["patients"].choices = [(pk, pk) for pk in patients]  # type: ignore[attr-defined]


@may(Action.SHARE)
@require_http_methods(["GET", "HEAD", "POST"])
def batch(request: HttpRequest) -> HttpResponse:
    """Choose patients, send to each; the answer lists every one of them."""
    actor, practice = request.actor, request.practice  # type: ignore[attr-defined]
    waiting = who_waits(actor.practice)
    # Those sent by this very form aren't waiting any more, and the verb knows them.
    known = [str(row.patient.pk) for row in waiting if not row.problem]
    form = BatchForm([*known, *_asked(request)], posted(request))
    page = {
        "section": "patients",
        "waiting": waiting,
        "form": form,
        # No more than may go at once: the rest is still here afterwards.
        "ticked": _asked(request) or set(known[: settings.BATCH_MAX_SHARES]),
        "at_once": settings.BATCH_MAX_SHARES,
        "can_send": known,
    }
    if form.is_valid():
        given = form.cleaned_data
        until = now() + timedelta(days=practice.share_default_days)
        try:
            outcomes = issue_batch(
                given["form_key"], given["patients"], consent=given["consent"], expires_at=until, actor=actor
            )
            return _sent(request, outcomes)
        except InvalidInput as error:
            refused(form, error)
    return render(request, "sharing/batch.html", page, status=422 if form.errors else 200)


def _sent(request: HttpRequest, outcomes: list[Outcome]) -> HttpResponse:
    """What became of each; those that somebody has to look at come first."""
    page = {
        "section": "patients",
        "outcomes": sorted(outcomes, key=lambda row: row.share is not None),
        "sent": sum(row.share is not None for row in outcomes),
    }
    return render(request, "sharing/batch_sent.html", page)


def _asked(request: HttpRequest) -> set[str]:
    """What was ticked, as far as it is an id at all; whose they are, the verb decides."""
    return {text for text in request.POST.getlist("patients") if _is_uuid(text)}


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
