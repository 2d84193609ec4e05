"""One share: where it stands, and everything the desk can do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.forms import posted
from portal.accounts.permissions import Action, may
from portal.audit import trail
from portal.errors import Conflict, InvalidInput
from portal.records.dentists import entry_of
from portal.records.views import live
from sharing.change_number import change_number
from sharing.contents import set_contents
from sharing.desk_rows import row_of
from sharing.evidence import evidence_of, what_left
from sharing.extend import extend
from sharing.lost_phone import report_lost_phone
from sharing.models import Share
from sharing.one_share_forms import ExtendForm, ImagesForm, NumberForm
from sharing.practice_share import share_of
from sharing.standing import standing_of
from sharing.undo import undo
from sharing.wrong_number import report_wrong_number, send_corrected, was_wrong


@may(Action.FIND_PATIENTS)
@require_safe
def one_share(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """The page of a share; its state keeps itself up to date."""
    share = share_of(request, share_id)
    if request.htmx:  # type: ignore[attr-defined]
        row = row_of(share)
        return live.answer(request, "sharing/_standing.html", {"share": share, "row": row}, state=_state(row))
    return _page(request, share)


@may(Action.SHARE)
@require_POST
def undo_share(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """Take a share back before its message leaves."""
    share = share_of(request, share_id)
    undo(share, actor=request.actor)  # type: ignore[attr-defined]
    messages.success(request, "Undone. Nothing was sent, and the record says so.")
    return redirect("patient", share.patient_id)


@may(Action.SHARE)
@require_POST
def extend_share(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """Let the link work longer."""
    share = share_of(request, share_id)
    form = ExtendForm(share, posted(request))
    actor = request.actor  # type: ignore[attr-defined]
    if not _done(form, "days", lambda: extend(share, expires_at=form.expires_at(), actor=actor)):
        return _page(request, share, extend_form=form)
    messages.success(request, "The link works longer now. Nothing was sent.")
    return redirect("one_share", share.pk)


@may(Action.SHARE)
@require_POST
def change_share_number(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """Send a new link to another number; the old link is dead."""
    share = share_of(request, share_id)
    form = NumberForm(share, posted(request))
    actor = request.actor  # type: ignore[attr-defined]
    if not _done(form, "address", lambda: change_number(share, actor=actor, **form.cleaned_data)):
        return _page(request, share_of(request, share_id), number_form=form)
    messages.success(request, "A new link is on its way to the new number. The old one is dead.")
    return redirect("one_share", share.pk)


@may(Action.SHARE)
@require_POST
def change_share_images(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """Add images to the share or take some away."""
    share = share_of(request, share_id)
    form = ImagesForm(share, posted(request))

    def change() -> None:
        counts = set_contents(share, series=form.chosen(), actor=request.actor)  # type: ignore[attr-defined]
        messages.success(request, _changed(*counts))

    if not _done(form, "series", change):
        return _page(request, share, images_form=form)
    return redirect("one_share", share.pk)


@may(Action.REVOKE)
@require_POST
def wrong_number(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """It went to someone else: end it, mark the number, show what left."""
    share = share_of(request, share_id)
    others = report_wrong_number(share, actor=request.actor)  # type: ignore[attr-defined]
    also = f" So {'has' if others == 1 else 'have'} {others} more to the same number." if others else ""
    messages.success(request, f"The share has ended and the number is marked as wrong.{also}")
    return redirect("share_evidence", share.pk)


@may(Action.SHARE)
@require_POST
def corrected_share(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """The same share once more, to the right number."""
    share = share_of(request, share_id)
    if not was_wrong(share):
        raise Conflict("Report the wrong number first.")
    form = NumberForm(share, posted(request))
    actor = request.actor  # type: ignore[attr-defined]
    if not _done(form, "address", lambda: send_corrected(share, actor=actor, **form.cleaned_data)):
        return _evidence_page(request, share, form)
    messages.success(request, "A new share is on its way to the right number.")
    return redirect("patient", share.patient_id)


@may(Action.REVOKE)
@require_POST
def lost_phone(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """The phone is lost: everything of its number dies now."""
    share = share_of(request, share_id)
    met = report_lost_phone(share, actor=request.actor)  # type: ignore[attr-defined]
    links = f"{met} link{'' if met == 1 else 's'}"
    messages.success(request, f"{links} and all sessions of this number have ended.")
    return redirect("one_share", share.pk)


@may(Action.REVOKE)
@require_safe
def share_evidence(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """The evidence sheet, to print; reading it is an entry."""
    share = share_of(request, share_id)
    actor = request.actor  # type: ignore[attr-defined]
    trail.record_alone("share.evidence-read", actor=actor, patient=share.patient_id, share=share.pk)
    return _evidence_page(request, share, NumberForm(share))


def _page(request: HttpRequest, share: Share, **bound: forms.Form) -> HttpResponse:
    row = row_of(share)
    page: dict[str, Any] = {
        "section": "shares",
        "share": share,
        "patient": share.patient,
        "row": row,
        "seen": live.digest_of(_state(row)),
        "standing": standing_of(share.patient, share.address),
        "entry": entry_of(share.practice_id, share.address)
        if share.disclosure.recipient_kind == "dentist"
        else None,
        "left": sorted(what_left(share).items(), key=lambda pair: pair[0].title),
        "was_wrong": was_wrong(share),
        "extend_form": ExtendForm(share),
        "number_form": NumberForm(share),
        "images_form": ImagesForm(share),
        **bound,
    }
    # The summary of errors on top is about the one form that was sent.
    page["form"] = next(iter(bound.values()), None)
    return render(request, "sharing/one_share.html", page, status=422 if bound else 200)


def _evidence_page(request: HttpRequest, share: Share, form: forms.Form) -> HttpResponse:
    page = {
        "section": "shares",
        "share": share,
        "patient": share.patient,
        "evidence": evidence_of(share),
        "was_wrong": was_wrong(share),
        "form": form,
    }
    return render(request, "sharing/evidence.html", page, status=422 if form.is_bound else 200)


def _done(form: forms.Form, field: str, deed: Callable[[], object]) -> bool:
    """Do it, where the form is right. A verb's refusal is put beside the field it is about, or beside `field`."""
    if not form.is_valid():
        return False
    try:
        deed()
    except (InvalidInput, Conflict) as error:
        named = str(error.details.get("field", ""))
        form.add_error(named if named in form.fields else field, error.sentence)
    return not form.errors


def _changed(added: int, removed: int) -> str:
    if not (added or removed):
        return "Nothing was changed."
    return f"{added} added, {removed} taken away. Whoever has it open must open the link again."


def _state(row: Any) -> list[Any]:
    return [row.state, row.life, row.share.expires_at, row.events, row.letters, row.has_opted_out]
