"""Sharing from the desk: the form, the exact text before it is sent, and the verbs of a share that exists."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts.forms import posted
from portal.accounts.permissions import Action, may
from portal.clock import now
from portal.errors import Conflict, InvalidInput, LimitReached
from portal.records.access_requests import urgent_requests
from portal.records.forms import refused
from portal.records.models import Patient, Study
from portal.records.patients import get_patient
from portal.records.rights import open_holds
from portal.records.views import live
from sharing.add_person import decline
from sharing.desk_forms import ShareForm, for_colleague
from sharing.desk_rows import DisclosureRow, disclosures_of, open_tasks
from sharing.messages import email_link, email_subject, link_text, segments
from sharing.models import Channel, DeskTask, Share
from sharing.once import issue_once
from sharing.practice_share import share_of
from sharing.reachable import reachable
from sharing.renew import renew
from sharing.resend import resend
from sharing.revoke import revoke
from sharing.todo import close_tasks
from sharing.tokens import PLACEHOLDER, link_of
from sharing.unlock import unlock


@may(Action.SHARE)
@require_http_methods(["GET", "HEAD", "POST"])
def share(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The share form."""
    actor = request.actor  # type: ignore[attr-defined]
    patient = get_patient(actor.practice, patient_id)
    asked = _asked(request, patient)
    form = _form(request, patient, asked)
    if form.is_valid():
        try:
            made, is_new = issue_once(form.key(), patient, actor=actor, undo_s=settings.UNDO_S, **form.deed())
            if asked is not None:
                close_tasks(asked, DeskTask.Kind.ADD_PERSON)
            _tell(request, is_new)
            return (
                redirect("letter", made.pk) if made.channel == "letter" else redirect("patient", patient.pk)
            )
        except InvalidInput as error:
            refused(form, error)
        except (Conflict, LimitReached) as error:
            form.add_error("address", error.sentence)
    page = {
        "section": "patients",
        "patient": patient,
        "form": form,
        "reachable": reachable(patient),
        "holds": open_holds(patient).order_by("created_at"),
        **_preview(form),
    }
    return render(request, "sharing/share.html", page, status=422 if form.errors else 200)


def _asked(request: HttpRequest, patient: Patient) -> Share | None:
    """The share for which a colleague asked, whose answer this form is."""
    try:
        wanted = UUID(request.GET.get("add", ""))
    except ValueError:
        return None
    return Share.objects.filter(pk=wanted, patient=patient).select_related("disclosure").first()


def _tell(request: HttpRequest, is_new: bool) -> None:
    if is_new:
        wait = f"The message leaves in {settings.UNDO_S} seconds; until then you can undo it below."
        messages.success(request, wait if settings.UNDO_S else "The message is on its way.")
    else:
        messages.warning(request, "This form was sent before, so nothing was sent again.")


@may(Action.SHARE)
@require_POST
def share_text(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The message as it would leave with what the form holds now."""
    patient = get_patient(request.actor.practice, patient_id)  # type: ignore[attr-defined]
    form = _form(request, patient)
    form.is_valid()
    return render(request, "sharing/_preview.html", {"patient": patient, **_preview(form)})


def _form(request: HttpRequest, patient: Patient, asked: Share | None = None) -> ShareForm:
    study = request.GET.get("study", "")
    chosen = next((row for row in _studies(patient) if str(row.pk) == study), None)
    first = for_colleague(asked) if asked else {}
    return ShareForm(patient, request.practice, chosen, posted(request), first)  # type: ignore[attr-defined]


def _studies(patient: Patient) -> list[Study]:
    return list(Study.objects.filter(patient=patient, state=Study.State.STORED))


def _preview(form: ShareForm) -> dict[str, Any]:
    """The exact words. The link isn't minted yet: dots of its length stand for its secret part."""
    practice = form.practice
    language, channel = form["language"].value(), form["channel"].value()
    parts: dict[str, Any] = {
        "language": language if language in dict(settings.LANGUAGES) else practice.language,
        "link": link_of(PLACEHOLDER),
        "expires_at": form.expires_at(),
        "time_zone": practice.time_zone,
    }
    if channel == Channel.LETTER:
        return {"text": "", "is_letter": True}
    dots = "•" * len(PLACEHOLDER)
    if channel == Channel.EMAIL:
        subject = email_subject(practice, language=parts["language"])
        return {"subject": subject, "text": email_link(practice, **parts).replace(PLACEHOLDER, dots)}
    text = link_text(practice, **parts)
    count, alphabet = segments(text)
    return {
        "text": text.replace(PLACEHOLDER, dots),
        "characters": len(text),
        "segments": count,
        "alphabet": alphabet,
    }


# --- shares that exist ---------------------------------------------------------------------------------------------


@may(Action.FIND_PATIENTS)
@require_safe
def shares(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Every disclosure of a patient with its state, as a page or as a piece that keeps itself up to date."""
    patient = get_patient(request.actor.practice, patient_id)  # type: ignore[attr-defined]
    rows = disclosures_of(patient)
    page = {"section": "patients", "patient": patient, "rows": rows}
    if request.htmx:  # type: ignore[attr-defined]
        return live.answer(request, "sharing/_shares.html", page, state=rows_state(rows))
    return render(request, "sharing/shares.html", {**page, "seen": live.digest_of(rows_state(rows))})


def rows_state(rows: list[DisclosureRow]) -> list[Any]:
    """What makes the list look different when it changes."""
    return [
        (row.disclosure.pk, row.state, row.share.expires_at, row.events, row.letters, row.has_opted_out)
        for row in rows
    ]


@may(Action.REVOKE)
@require_POST
def revoke_share(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """End a share now, for open viewers too."""
    row = share_of(request, share_id)
    revoke(row, actor=request.actor)  # type: ignore[attr-defined]
    messages.success(request, "The share has ended. Open viewers close within seconds.")
    return redirect("patient", row.patient_id)


@may(Action.SHARE)
@require_POST
def resend_share(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """Send a new link; the old one is dead."""
    row = share_of(request, share_id)
    resend(row, actor=request.actor)  # type: ignore[attr-defined]
    messages.success(request, "A new link is on its way. The old one no longer works.")
    return redirect("patient", row.patient_id)


@may(Action.SHARE)
@require_POST
def unlock_share(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """Open a share again that locked itself after too many misses."""
    row = share_of(request, share_id)
    unlock(row, actor=request.actor)  # type: ignore[attr-defined]
    messages.success(request, "The share is open again.")
    return redirect("patient", row.patient_id)


@may(Action.SHARE)
@require_POST
def decline_addition(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """A colleague of the recipient gets no link."""
    row = share_of(request, share_id)
    decline(row, actor=request.actor)  # type: ignore[attr-defined]
    messages.success(request, "Declined. Nothing was sent.")
    return redirect("patient", row.patient_id)


@may(Action.SHARE)
@require_POST
def renew_share(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """Let a share that ended go on for the practice's usual days, with a new link."""
    row = share_of(request, share_id)
    days = request.practice.share_default_days  # type: ignore[attr-defined]
    renew(row, expires_at=now() + timedelta(days=days), actor=request.actor)  # type: ignore[attr-defined]
    messages.success(request, "A new link is on its way. The old one no longer works.")
    return redirect("patient", row.patient_id)


@may(Action.SHARE)
@require_safe
def tasks(request: HttpRequest) -> HttpResponse:
    """What patients and messages wait for."""
    rows, more = open_tasks(request.actor.practice)  # type: ignore[attr-defined]
    urgent = urgent_requests(request.practice)  # type: ignore[attr-defined]
    state = [[row.pk for row in rows], more, [(clock.request.pk, clock.days_left) for clock in urgent]]
    page = {"tasks": rows, "more": more, "urgent": urgent}
    return live.answer(request, "sharing/_tasks.html", page, state=state)
