"""The desk and messages that wait."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from portal.accounts.permissions import Action, may
from portal.errors import NotFound
from sharing.models import Message
from sharing.send_now import send_now


@may(Action.SHARE)
@require_POST
def send_message_now(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Send a held message at once."""
    rows = Message.objects.filter(practice_id=request.actor.practice, pk=message_id)  # type: ignore[attr-defined]
    message = rows.select_related("share").first()
    if message is None:
        raise NotFound
    send_now(message, actor=request.actor)  # type: ignore[attr-defined]
    messages.success(request, "It is tried now. If it still can't leave, the reason stays beside it.")
    return redirect("patient", message.share.patient_id)
