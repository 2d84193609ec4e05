"""The browsers in which somebody signed in completely before: what a stranger guesses doesn't lock those out.

A known browser opens nothing; only its failures are counted apart (`portal.accounts.throttle`). Its cookie is a
random name, and who reads the table can't make one.

Source: OWASP, Slow Down Online Guessing Attacks with Device Cookies.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from portal.accounts.models import KnownBrowser, User
from portal.clock import now
from portal.sealed.keys import installation_key

NAME_BYTES = 16


def known_browser(request: HttpRequest, email: str) -> str:
    """The browser's name where this account was signed in from it before; else nothing."""
    name = request.COOKIES.get(settings.BROWSER_COOKIE_NAME, "")
    if not 20 <= len(name) <= 64:
        return ""
    since = now() - timedelta(days=settings.KNOWN_BROWSER_DAYS)
    known = KnownBrowser.objects.filter(name_hmac=_hmac(name), used_at__gt=since)
    return name if known.filter(user__email=email.strip().lower()).exists() else ""


def remember_browser(request: HttpRequest, user: User) -> None:
    """A complete sign-in: the browser is known from now on. `keep_name` gives it its name with the answer."""
    name = request.COOKIES.get(settings.BROWSER_COOKIE_NAME, "")
    # A name that isn't this user's already is not taken over: somebody could have planted it.
    if not known_browser(request, user.email) and not _is_ours(name):
        name = secrets.token_urlsafe(NAME_BYTES)
    KnownBrowser.objects.update_or_create(user=user, name_hmac=_hmac(name), defaults={"used_at": now()})
    request.browser_name = name  # type: ignore[attr-defined]


def keep_name(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Give the browser its name, where the request signed somebody in."""
    if name := getattr(request, "browser_name", ""):
        response.set_cookie(
            settings.BROWSER_COOKIE_NAME,
            name,
            max_age=settings.KNOWN_BROWSER_DAYS * 24 * 3600,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


def forget_browsers(user: User) -> None:
    """After a lost phone or a forgotten password no browser is trusted with a count of its own."""
    KnownBrowser.objects.filter(user=user).delete()


def sweep_unused() -> None:
    """Delete the rows that are too old to count."""
    since = now() - timedelta(days=settings.KNOWN_BROWSER_DAYS)
    KnownBrowser.objects.filter(used_at__lte=since).delete()


def _is_ours(name: str) -> bool:
    """Whether we gave this name to a browser: a colleague signed in here before."""
    return 20 <= len(name) <= 64 and KnownBrowser.objects.filter(name_hmac=_hmac(name)).exists()


def _hmac(name: str) -> bytes:
    key = installation_key("session", "known-browser")
    return hmac.new(key, name.encode(), hashlib.sha256).digest()
