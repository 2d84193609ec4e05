"""The directory of dentists: who they are, how they are reached, and whether shared mailboxes get links."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.forms import posted
from portal.accounts.permissions import Action, may
from portal.errors import InvalidInput, NotFound
from portal.records.dentists import allow_shared_mailboxes, dentists_of, has_office_name, note_dentist
from portal.records.forms import refused
from portal.records.models import ReferringDentist
from portal.records.templatetags.desk import phone

_TYPES: Final = {"email": "email", "mobile": "tel", "phone": "tel"}


class DentistForm(forms.Form):
    name = forms.CharField(
        label="Name", max_length=120, error_messages={"required": "Enter the dentist's name."}
    )
    clinic = forms.CharField(label="Practice", max_length=120, required=False)
    email = forms.CharField(label="E-mail address", max_length=254, required=False)
    mobile = forms.CharField(label="Mobile number", max_length=40, required=False)
    phone = forms.CharField(
        label="Office phone",
        max_length=40,
        required=False,
        help_text="To call and ask before something is sent.",
    )
    npi = forms.CharField(label="NPI", max_length=20, required=False, help_text="Ten digits.")
    is_shared_mailbox = forms.BooleanField(label="Several people read this e-mail address", required=False)

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        for name, field in self.fields.items():
            if name != "is_shared_mailbox":
                field.widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
                field.widget.input_type = _TYPES.get(name, "text")


@may(Action.SHARE)
@require_http_methods(["GET", "HEAD", "POST"])
def dentists(request: HttpRequest) -> HttpResponse:
    """The directory, and the form for a new entry."""
    return _page(request, None)


@may(Action.SHARE)
@require_http_methods(["GET", "HEAD", "POST"])
def dentist(request: HttpRequest, dentist_id: UUID) -> HttpResponse:
    """One entry, to correct."""
    practice = request.actor.practice  # type: ignore[attr-defined]
    entry = ReferringDentist.objects.filter(practice_id=practice, pk=dentist_id).first()
    if entry is None:
        raise NotFound
    return _page(request, entry)


@may(Action.MANAGE_PRACTICE)
@require_POST
def shared_mailboxes(request: HttpRequest) -> HttpResponse:
    """Whether links may go to mailboxes that several people read."""
    allowed = request.POST.get("allowed") == "yes"
    allow_shared_mailboxes(request.practice, allowed=allowed, actor=request.actor)  # type: ignore[attr-defined]
    messages.success(
        request, "Links may go to shared mailboxes." if allowed else "No link goes to a shared mailbox."
    )
    return redirect("dentists")


def _page(request: HttpRequest, entry: ReferringDentist | None) -> HttpResponse:
    form = DentistForm(posted(request), initial=_known(entry) if entry else None)
    if form.is_valid():
        try:
            note_dentist(entry, actor=request.actor, **form.cleaned_data)  # type: ignore[attr-defined]
            messages.success(request, "The entry is written.")
            return redirect("dentists")
        except InvalidInput as error:
            refused(form, error)
    page = {
        "section": "shares",
        "form": form,
        "entry": entry,
        "dentists": [
            (row, row.is_shared_mailbox or has_office_name(row.email or ""))
            for row in dentists_of(request.actor.practice)  # type: ignore[attr-defined]
        ],
    }
    return render(request, "sharing/dentists.html", page, status=422 if form.errors else 200)


def _known(entry: ReferringDentist) -> dict[str, Any]:
    numbers = {name: phone(getattr(entry, name) or "") for name in ("mobile", "phone")}
    texts = {name: getattr(entry, name) or "" for name in ("name", "clinic", "email", "npi")}
    return {**texts, **numbers, "is_shared_mailbox": entry.is_shared_mailbox}
