"""The pages of one-time links: the same bytes for all; their script reads the link's fragment and erases it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from portal.accounts.addresses import client_address
from portal.accounts.forms import posted
from portal.accounts.permissions import public
from portal.accounts.setup_link import has_owner
from portal.accounts.sign_in import await_second_factor
from portal.errors import NotFound
from portal.practice.forms import InvitationForm, SetupForm
from portal.practice.invitations import accept_invitation
from portal.practice.setup import set_up


@public
@require_http_methods(["GET", "HEAD", "POST"])
def set_up_practice(request: HttpRequest) -> HttpResponse:
    """Practice and owner, from the one-time link."""
    if has_owner():
        raise NotFound
    form = SetupForm(posted(request))
    if form.is_valid():
        given = {name: value for name, value in form.cleaned_data.items() if name != "repeat"}
        set_up(**given)
        messages.success(request, "The practice is set up. Sign in to set up your second factor.")
        return redirect("sign_in")
    return render(request, "practice/setup.html", {"form": form}, status=422 if form.errors else 200)


@public
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest) -> HttpResponse:
    """A new member of staff chooses a password, from the one-time link; the second factor comes next."""
    form = InvitationForm(posted(request))
    if form.is_valid():
        token, password = form.cleaned_data["token"], form.cleaned_data["password"]
        user = accept_invitation(token, password=password, address=client_address(request))
        await_second_factor(request, user)
        return redirect("enrol")
    return render(request, "practice/invitation.html", {"form": form}, status=422 if form.errors else 200)
