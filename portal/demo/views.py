"""The demo's two pages: how to walk it, and the outbox, which is the phone that nobody has at hand.

Anywhere but in the demo neither page exists.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import segno
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from portal.accounts.permissions import public
from portal.demo import facts
from portal.demo.outbox import messages
from portal.errors import NotFound

OUTBOX_LENGTH = 50


@public
@require_safe
def walk(request: HttpRequest) -> HttpResponse:
    """Who can sign in with what, and which shares wait for their recipients."""
    _only_in_demo()
    known = facts.read(settings.STATE_DIR)
    if known is None:
        raise NotFound("The demo is still being made. Please reload this page in a moment.")
    staff = [{**person, "qr": _totp_qr(person)} for person in known["staff"]]
    page = {"staff": staff, "shares": known["shares"], "expired_shares": known.get("expired_shares", [])}
    return render(request, "demo/walk.html", page)


@public
@require_safe
def outbox(request: HttpRequest) -> HttpResponse:
    """The messages that would have been sent, the newest first."""
    _only_in_demo()
    newest = messages(settings.STATE_DIR)[-OUTBOX_LENGTH:][::-1]
    return render(request, "demo/outbox.html", {"sent": newest})


def _only_in_demo() -> None:
    if not settings.DEMO:
        raise NotFound


def _totp_qr(person: dict[str, Any]) -> SafeString:
    """The otpauth address (Key URI Format) as an SVG for an authenticator app."""
    label = quote(f"Scanpass:{person['email']}")
    address = f"otpauth://totp/{label}?secret={person['totp_secret']}&issuer=Scanpass"
    svg = segno.make(address, error="m").svg_inline(scale=3, border=2, light="#fff", dark="#000")
    return mark_safe(svg)  # noqa: S308 (made by segno from our own secret, no text of a person is in it)
