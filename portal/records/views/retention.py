"""Pages about how long images are kept: the practice's years, what has ended, and legal holds."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts.forms import posted
from portal.accounts.permissions import Action, may
from portal.errors import InvalidInput
from portal.practice.models import Practice
from portal.records import retention as verbs
from portal.records import shredding
from portal.records.forms import ReasonForm
from portal.records.patients import get_patient


class YearsForm(forms.Form):
    years = forms.IntegerField(
        label="Years",
        required=False,
        min_value=verbs.YEARS_MIN,
        max_value=verbs.YEARS_MAX,
        help_text="Empty: until somebody decides. Your state's law says how long dental records are kept.",
    )


@may(Action.SHRED)
@require_safe
def retention(request: HttpRequest) -> HttpResponse:
    """How long images are kept, and what ends."""
    practice = _practice(request)
    return _page(request, practice, YearsForm(initial={"years": practice.keep_years}))


@may(Action.SHRED)
@require_POST
def keep_years(request: HttpRequest) -> HttpResponse:
    """Another number of years."""
    practice, form = _practice(request), YearsForm(request.POST)
    if not form.is_valid():
        return _page(request, practice, form)
    verbs.set_years(practice, form.cleaned_data["years"], actor=request.actor)  # type: ignore[attr-defined]
    messages.success(request, "Written down. Nothing is destroyed by it: that takes two people.")
    return redirect("retention")


@may(Action.SHRED)
@require_POST
def ask_retention(request: HttpRequest) -> HttpResponse:
    """Ask for the destruction of what was ticked and has ended; a second person agrees to each."""
    actor, practice = request.actor, _practice(request)  # type: ignore[attr-defined]
    ticked = set(request.POST.getlist("study"))
    chosen = [one for one in verbs.endings_of(practice) if str(one.study.pk) in ticked and one.has_ended]
    if not chosen:
        raise InvalidInput("Tick images whose time has ended.")
    with transaction.atomic():
        for one in chosen:
            reason = f"Kept for {practice.keep_years} years; the time ended on {one.ends_on:%B %-d, %Y}."
            shredding.ask(one.study, reason=reason, actor=actor)
    messages.success(request, "Nothing is destroyed yet: a second person has to agree.")
    return redirect("shreddings")


@may(Action.LIFT_HOLDS)
@require_http_methods(["GET", "HEAD", "POST"])
def legal_holds(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The legal holds of a patient, and a new one."""
    actor, form = request.actor, ReasonForm(posted(request))  # type: ignore[attr-defined]
    patient = get_patient(actor.practice, patient_id)
    if form.is_valid():
        verbs.place_legal_hold(patient, reason=form.cleaned_data["reason"], actor=actor)
        messages.success(request, "The legal hold stands. Nothing of this patient is destroyed.")
        return redirect("patient", patient.pk)
    page = {
        "section": "patients",
        "patient": patient,
        "form": form,
        "holds": verbs.standing_legal_holds(patient),
    }
    return render(request, "records/legal_holds.html", page, status=422 if form.errors else 200)


@may(Action.LIFT_HOLDS)
@require_POST
def lift_legal_hold(request: HttpRequest, legal_hold_id: UUID) -> HttpResponse:
    """The matter is over."""
    actor = request.actor  # type: ignore[attr-defined]
    hold = verbs.get_legal_hold(actor.practice, legal_hold_id)
    verbs.lift_legal_hold(hold, reason=request.POST.get("reason", ""), actor=actor)
    messages.success(request, "The legal hold is lifted.")
    return redirect("legal_holds", hold.patient_id)


def _page(request: HttpRequest, practice: Practice, form: YearsForm) -> HttpResponse:
    endings = verbs.endings_of(practice)
    page = {"section": "trail", "form": form, "endings": endings, "years": practice.keep_years}
    return render(request, "records/retention.html", page, status=422 if form.errors else 200)


def _practice(request: HttpRequest) -> Practice:
    return Practice.objects.get(pk=request.actor.practice)  # type: ignore[attr-defined]
