"""The outbox as a page, in the demo only: the phone that nobody has at hand."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.accounts.permissions import public
from portal.demo.outbox import messages
from portal.errors import NotFound


@public
@require_safe
def outbox(request: HttpRequest) -> HttpResponse:
    """The messages that would have been sent, the newest first. Anywhere but in the demo there is no such page."""
    if not settings.DEMO:
        raise NotFound
    return render(request, "demo/outbox.html", {"messages_sent": messages(settings.STATE_DIR)[:-51:-1]})
