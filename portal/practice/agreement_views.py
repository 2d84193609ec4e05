"""The pages of the privacy officer about vendors: who they are, what they answered, what was signed until when."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts.forms import posted
from portal.accounts.permissions import Action, may
from portal.errors import InvalidInput
from portal.practice import adapters, associates
from portal.practice.agreement_forms import AgreementForm, AnswersForm, NewAssociateForm
from portal.practice.agreements import associates_of, has_agreement, standing_of
from portal.practice.models import BusinessAssociate

_ANSWERS = ("name", "contact", "stored_where", "encryption", "access_controls")


@may(Action.MANAGE_AGREEMENTS)
@require_safe
def agreements(request: HttpRequest) -> HttpResponse:
    """All vendors, and which adapters are locked."""
    practice = request.actor.practice  # type: ignore[attr-defined]
    rows = [
        {"associate": one, "does": adapters.in_words(one.adapter), "standing": standing_of(one)}
        for one in associates_of(practice)
    ]
    locked = [adapters.in_words(name) for name in adapters.in_use() if not has_agreement(practice, name)]
    return render(
        request, "practice/agreements.html", {"section": "agreements", "rows": rows, "locked": locked}
    )


@may(Action.MANAGE_AGREEMENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def new_associate(request: HttpRequest) -> HttpResponse:
    """The form for another vendor."""
    form = NewAssociateForm(posted(request))
    if form.is_valid():
        try:
            made = associates.add_associate(**form.cleaned_data, actor=request.actor)  # type: ignore[attr-defined]
            messages.success(
                request, "Added. Nothing goes there before the signed agreement is on this page."
            )
            return redirect("associate", made.pk)
        except InvalidInput as refusal:
            form.add_error("adapter", refusal.sentence)
    page = {"section": "agreements", "form": form}
    return render(request, "practice/new_associate.html", page, status=422 if form.errors else 200)


@may(Action.MANAGE_AGREEMENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def associate(request: HttpRequest, associate_id: UUID) -> HttpResponse:
    """One vendor: its answers, which can be corrected here, and its agreements."""
    found = _associate(request, associate_id)
    form = AnswersForm(posted(request), initial={name: getattr(found, name) for name in _ANSWERS})
    if form.is_valid():
        associates.change_associate(found, **form.cleaned_data, actor=request.actor)  # type: ignore[attr-defined]
        messages.success(request, "Saved.")
        return redirect("associate", found.pk)
    return _page(request, found, answers=form)


@may(Action.MANAGE_AGREEMENTS)
@require_POST
def add_agreement(request: HttpRequest, associate_id: UUID) -> HttpResponse:
    """A signed agreement with its document."""
    found, form = _associate(request, associate_id), AgreementForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            associates.add_agreement(found, **form.cleaned_data, actor=request.actor)  # type: ignore[attr-defined]
            messages.success(request, "The agreement is recorded.")
            return redirect("associate", found.pk)
        except InvalidInput as refusal:
            form.add_error(str(refusal.details["field"]), refusal.sentence)
    return _page(request, found, agreement=form)


@may(Action.MANAGE_AGREEMENTS)
@require_safe
def agreement_document(request: HttpRequest, associate_id: UUID, agreement_id: UUID) -> HttpResponse:
    """The document, as a file to keep; its name says nothing."""
    found = associates.get_agreement(_associate(request, associate_id), agreement_id)
    content = associates.read_document(found, actor=request.actor)  # type: ignore[attr-defined]
    headers = {"Content-Disposition": 'attachment; filename="agreement.pdf"'}
    return HttpResponse(content, content_type="application/pdf", headers=headers)


@may(Action.MANAGE_AGREEMENTS)
@require_POST
def end_agreement(request: HttpRequest, associate_id: UUID, agreement_id: UUID) -> HttpResponse:
    """End an agreement today."""
    found = associates.get_agreement(_associate(request, associate_id), agreement_id)
    associates.end_agreement(found, actor=request.actor)  # type: ignore[attr-defined]
    messages.success(
        request, "Ended. Nothing goes to this vendor any more unless another agreement is in force."
    )
    return redirect("associate", associate_id)


def _associate(request: HttpRequest, associate_id: UUID) -> BusinessAssociate:
    return associates.get_associate(request.actor.practice, associate_id)  # type: ignore[attr-defined]


def _page(
    request: HttpRequest,
    found: BusinessAssociate,
    *,
    answers: AnswersForm | None = None,
    agreement: AgreementForm | None = None,
) -> HttpResponse:
    answers = answers or AnswersForm(initial={name: getattr(found, name) for name in _ANSWERS})
    agreement = agreement or AgreementForm()
    page: dict[str, Any] = {
        "section": "agreements",
        "associate": found,
        "does": adapters.in_words(found.adapter),
        "standing": standing_of(found),
        "agreements": found.agreements.defer("document").select_related("recorded_by").order_by("-ends_on"),
        "answers": answers,
        "form": agreement,
    }
    return render(
        request, "practice/associate.html", page, status=422 if answers.errors or agreement.errors else 200
    )
