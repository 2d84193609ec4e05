"""Choosing the language of the pages: a cookie, and back to where one was."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from portal.accounts.permissions import public
from portal.errors import InvalidInput

YEAR_S = 365 * 24 * 3600


@public
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Remember the language and go back. The fragment of a link, if any, is kept by the browser."""
    language, page = request.POST.get("language", ""), request.POST.get("next", "/s/")
    if language not in dict(settings.LANGUAGES):
        raise InvalidInput("This language is not among ours.")
    if not (page.startswith("/") and url_has_allowed_host_and_scheme(page, allowed_hosts=None)):
        page = "/s/"
    response = HttpResponseRedirect(page, status=303)
    keep_language(response, language)
    return response


def keep_language(response: HttpResponse, language: str) -> None:
    """Remember the language in this browser for a year."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=YEAR_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
