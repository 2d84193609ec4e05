"""Pages about destroying images: ask, agree, and the certificate to print."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts.forms import posted
from portal.accounts.permissions import Action, may
from portal.errors import NotFound
from portal.records import shredding as verbs
from portal.records.forms import ReasonForm
from portal.records.shredding_rows import Shredding
from sharing.destruction import destroy


@may(Action.SHRED)
@require_safe
def shreddings(request: HttpRequest) -> HttpResponse:
    """What waits for a second person, and what was destroyed."""
    actor = request.actor  # type: ignore[attr-defined]
    rows = verbs.shreddings_of(actor.practice)
    return render(
        request, "records/shreddings.html", {"section": "trail", "rows": rows, "actor_id": actor.id}
    )


@may(Action.SHRED)
@require_http_methods(["GET", "HEAD", "POST"])
def ask_shredding(request: HttpRequest, study_id: UUID) -> HttpResponse:
    """The form: why these images have to go."""
    actor = request.actor  # type: ignore[attr-defined]
    study, form = verbs.get_study(actor.practice, study_id), ReasonForm(posted(request))
    if form.is_valid():
        verbs.ask(study, reason=form.cleaned_data["reason"], actor=actor)
        messages.success(request, "Nothing is destroyed yet: a second person has to agree.")
        return redirect("shreddings")
    page = {"section": "trail", "study": study, "form": form}
    return render(request, "records/ask_shredding.html", page, status=422 if form.errors else 200)


@may(Action.SHRED)
@require_POST
def agree_shredding(request: HttpRequest, shredding_id: UUID) -> HttpResponse:
    """The second person agrees, and the images are gone."""
    actor = request.actor  # type: ignore[attr-defined]
    destroy(verbs.get_shredding(actor.practice, shredding_id), actor=actor)
    messages.success(request, "The images are destroyed. Print the certificate.")
    return redirect("shred_certificate", shredding_id)


@may(Action.SHRED)
@require_POST
def withdraw_shredding(request: HttpRequest, shredding_id: UUID) -> HttpResponse:
    """Somebody has thought again."""
    actor = request.actor  # type: ignore[attr-defined]
    verbs.withdraw(verbs.get_shredding(actor.practice, shredding_id), actor=actor)
    messages.success(request, "The images stay.")
    return redirect("shreddings")


@may(Action.SHRED)
@require_safe
def shred_certificate(request: HttpRequest, shredding_id: UUID) -> HttpResponse:
    """What was destroyed, by whom, and from which day on for good."""
    wish = verbs.get_shredding(request.actor.practice, shredding_id)  # type: ignore[attr-defined]
    if wish.state != Shredding.State.DONE:
        raise NotFound
    facts = wish.certificate
    days = {name: date.fromisoformat(facts[name]) for name in ("final_on", "birthdate")}
    return render(
        request,
        "records/shred_certificate.html",
        {"section": "trail", "wish": wish, "facts": {**facts, **days}},
    )
