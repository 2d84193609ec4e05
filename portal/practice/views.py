"""The set-up page: the same bytes for all; its script reads the link's fragment and erases it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from portal.accounts.forms import posted
from portal.accounts.permissions import public
from portal.accounts.setup_link import has_owner
from portal.errors import NotFound
from portal.practice.forms import SetupForm
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
