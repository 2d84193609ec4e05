"""Checking a number on the share form: what is known of it, a code to it now, and what the patient reads back."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.permissions import Action, may
from portal.errors import CodeRefused, Conflict, InvalidInput, LimitReached, NotFound
from portal.records.models import Disclosure
from portal.records.patients import get_patient
from portal.records.views import live
from sharing.addresses import mobile_number
from sharing.known import ReadBack
from sharing.models import Channel
from sharing.read_back import ask_read_back as ask
from sharing.read_back import give_read_back as give
from sharing.standing import Standing, standing_of


@may(Action.SHARE)
@require_POST
def number_standing(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """What is known of the number in the form; nothing while there is none, and nothing of e-mail addresses."""
    patient = get_patient(request.actor.practice, patient_id)  # type: ignore[attr-defined]
    typed = request.POST.get("address", "")
    shown: dict[str, object] = {"patient": patient}
    if typed and request.POST.get("channel", Channel.TEXT) == Channel.TEXT:
        try:
            shown["standing"] = _told(standing_of(patient, mobile_number(typed)), request)
        except InvalidInput as error:
            shown["problem"] = error.sentence
    return render(request, "sharing/_number.html", shown)


def _told(standing: Standing, request: HttpRequest) -> Standing | None:
    """A dentist isn't here to read a code out: of their number only what is wrong with it is said."""
    is_dentist = request.POST.get("recipient_kind") == Disclosure.Recipient.DENTIST
    return None if is_dentist and not standing.is_bad else standing


@may(Action.SHARE)
@require_POST
def ask_read_back(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Text a code to the number in the form."""
    actor = request.actor  # type: ignore[attr-defined]
    patient = get_patient(actor.practice, patient_id)
    number, language = request.POST.get("address", ""), request.POST.get("language", patient.language)
    try:
        check = ask(patient, number=number, language=language, actor=actor)
    except (InvalidInput, LimitReached) as error:
        return render(request, "sharing/_number.html", {"patient": patient, "problem": error.sentence})
    return _asked(request, check)


@may(Action.SHARE)
@require_POST
def give_read_back(request: HttpRequest, check_id: UUID) -> HttpResponse:
    """The code as the patient read it out."""
    check = _check(request, check_id)
    try:
        give(check, request.POST.get("read_back_code", ""), actor=request.actor)  # type: ignore[attr-defined]
    except (CodeRefused, Conflict) as error:
        return _asked(request, check, error.sentence)
    standing = standing_of(check.patient, check.address)
    return render(request, "sharing/_number.html", {"patient": check.patient, "standing": standing})


@may(Action.SHARE)
@require_safe
def read_back_state(request: HttpRequest, check_id: UUID) -> HttpResponse:
    """Whether the code has left, for the line that keeps itself up to date."""
    check = _check(request, check_id)
    return live.answer(request, "sharing/_read_back_state.html", {"check": check}, state=_state(check))


def _asked(request: HttpRequest, check: ReadBack, problem: str = "") -> HttpResponse:
    page = {
        "patient": check.patient,
        "check": check,
        "problem": problem,
        "seen": live.digest_of(_state(check)),
    }
    return render(request, "sharing/_read_back.html", page)


def _state(check: ReadBack) -> list[object]:
    return [check.sent_at, check.failure]


def _check(request: HttpRequest, check_id: UUID) -> ReadBack:
    rows = ReadBack.objects.filter(practice_id=request.actor.practice, pk=check_id)  # type: ignore[attr-defined]
    check = rows.select_related("patient").first()
    if check is None:
        raise NotFound
    return check
