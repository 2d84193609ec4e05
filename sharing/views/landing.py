"""Where a link leads: a page that is the same for all, and the POST behind its button.

GET never sends, counts, consumes or reveals anything, so that no preview robot can.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.addresses import client_address
from portal.accounts.language import keep_language
from portal.accounts.permissions import public
from portal.errors import NotFound, ScanpassError
from sharing.access import asks_address, next_step
from sharing.answers import keep_cookie, onward, refused, with_page
from sharing.inputs import field
from sharing.models import Share
from sharing.opening import Opened, open_link
from sharing.tokens import parsed_token


@public
@require_safe
@ensure_csrf_cookie
def landing(request: HttpRequest) -> HttpResponse:
    """The page of every link: its script reads the link's fragment, erases it and waits for a tap."""
    return render(request, "share/landing.html", {"csrf_cookie": settings.CSRF_COOKIE_NAME})


def _paste_page(request: HttpRequest, error: ScanpassError | None) -> HttpResponse:
    return render(request, "share/paste.html", {"error": error})


@public
@with_page(_paste_page)
def paste(request: HttpRequest) -> HttpResponse:
    """For browsers without scripts: the link is pasted."""
    return _open(request)


@public
@require_POST
def open_share(request: HttpRequest) -> HttpResponse:
    """Exchange the token for a session that knows nothing yet but the link."""
    return _open(request)


def _open(request: HttpRequest) -> HttpResponse:
    try:
        token = parsed_token(field(request, "token"))
    except NotFound:
        # Not a token at all; a browser gets the words, a script the same status as for a dead link.
        raise NotFound(_("This is not a complete link. Open it from your message again.")) from None
    opened = open_link(token, address=client_address(request))
    if not opened.is_live:
        response = refused(request, _no_such_link(), page="/s/birthdate", next="birthdate")
    else:
        response = onward(request, _facts(opened), page=next_step(opened.session))
        _speak(request, response, opened)
    return keep_cookie(response, opened.key)


def _speak(request: HttpRequest, response: HttpResponse, opened: Opened) -> None:
    """Go on in the language the desk noted, unless the reader chose one; the default says nothing of the reader."""
    share = opened.session.share
    if (
        share
        and share.language != settings.LANGUAGE_CODE
        and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES
    ):
        keep_language(response, share.language)


def _no_such_link() -> NotFound:
    return NotFound(
        _(
            "This link does not work, or not any more. Enter the date of birth to find out, or call your dental office."
        )
    )


def _facts(opened: Opened) -> dict[str, object]:
    share = opened.session.share
    if share is None:
        return {}
    wants_address = asks_address(opened.session)
    return {
        "practice": share.practice.name,
        "phone": share.practice.phone,
        "for": initials(share) if wants_address else share.patient.short_name,
        "expires_at": share.expires_at.isoformat(),
        "next": "address" if wants_address else "birthdate",
    }


def initials(share: Share) -> str:
    """How a dentist's page names the patient: "M. G."."""
    names = (share.patient.given_name, share.patient.family_name)
    return " ".join(f"{name[0]}." for name in names if name)
