"""Addresses a page's script asks to make or use a passkey. All take and answer JSON."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from portal.accounts import passkeys, step_up
from portal.accounts import sign_in as verbs
from portal.accounts.known_browsers import keep_name
from portal.accounts.permissions import Action, may, public
from portal.errors import InvalidInput


@public
@require_POST
def passkey_options(request: HttpRequest) -> HttpResponse:
    """For who has given their password: a challenge."""
    return JsonResponse(passkeys.begin_proof(request, verbs.pending_user(request)))


@public
@require_POST
def give_passkey(request: HttpRequest) -> HttpResponse:
    """The answer to it signs in."""
    user = verbs.pending_user(request)
    next_page = request.session["pending"]["next"]
    verbs.give_passkey(request, user, _sent(request))
    return keep_name(request, JsonResponse({"next": next_page or reverse("home")}))


@may(Action.SIGNED_IN)
@require_POST
def confirm_options(request: HttpRequest) -> HttpResponse:
    """A challenge before what needs a fresh one."""
    return JsonResponse(passkeys.begin_proof(request, request.user))  # type: ignore[arg-type]


@may(Action.SIGNED_IN)
@require_POST
def confirm_with_passkey(request: HttpRequest) -> HttpResponse:
    """The answer to it; then on to where the reader was going."""
    sent = _sent(request)
    step_up.confirm_with_passkey(request, request.user, sent, actor=request.actor)  # type: ignore[arg-type, attr-defined]
    next_page = sent.get("next", "")
    return JsonResponse({"next": next_page if verbs.is_ours(str(next_page)) else reverse("home")})


@may(Action.SIGNED_IN)
@require_POST
def new_passkey_options(request: HttpRequest) -> HttpResponse:
    """What the browser needs to make one; a screen left open must not give a way in."""
    step_up.require_fresh(request)
    return JsonResponse(passkeys.begin_adding(request, request.user))  # type: ignore[arg-type]


@may(Action.SIGNED_IN)
@require_POST
def add_passkey(request: HttpRequest) -> HttpResponse:
    """Keep what the browser made."""
    step_up.require_fresh(request)
    sent = _sent(request)
    name = str(sent.get("name", ""))
    passkeys.add(request, request.user, sent, name=name, actor=request.actor)  # type: ignore[arg-type, attr-defined]
    messages.success(request, "The passkey is added. Next time you can sign in with it instead of a code.")
    return JsonResponse({"next": reverse("account")})


@may(Action.SIGNED_IN)
@require_POST
def remove_passkey(request: HttpRequest, passkey_id: int) -> HttpResponse:
    """Forget one: a device that was sold or lost."""
    passkeys.remove(request.user, passkey_id, actor=request.actor)  # type: ignore[arg-type, attr-defined]
    messages.success(request, "The passkey is removed. It opens nothing any more.")
    return redirect("account")


def _sent(request: HttpRequest) -> dict[str, Any]:
    try:
        sent = json.loads(request.body)
    except ValueError:
        sent = None
    if not isinstance(sent, dict):
        raise InvalidInput
    return sent
