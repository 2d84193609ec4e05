"""Errors turned into words, once: a page for people, problem details (RFC 9457) for scripts.

Whatever is raised anywhere ends here as one of the families of `portal.errors`; what an exception's own text says
is neither shown nor logged.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Final
from urllib.parse import urlencode

from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    UnreadablePostError,
)
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from portal.accounts.unsent import keep_of_older_page
from portal.errors import (
    AccessDenied,
    FreshCodeRequired,
    InvalidInput,
    NotFound,
    ReasonRequired,
    ScanpassError,
    SignInRequired,
    TooLarge,
    Unavailable,
    VaultDamaged,
)

log = logging.getLogger("portal")

# What Django raises, and which of our families it is. The first that fits counts.
_THEIRS: Final[tuple[tuple[type[Exception], type[ScanpassError]], ...]] = (
    (Http404, NotFound),
    (PermissionDenied, AccessDenied),
    (SessionInterrupted, SignInRequired),  # signed out in another window while this request ran
    (RequestDataTooBig, TooLarge),
    (SuspiciousOperation, InvalidInput),
    (BadRequest, InvalidInput),
    (MultiPartParserError, InvalidInput),
    (UnreadablePostError, InvalidInput),
    (OperationalError, Unavailable),
    (InterfaceError, Unavailable),
)


class ErrorsMiddleware:
    """Turns what a view raises into an answer, and notes where a stream broke that had already begun."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponse]) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.respond(request)
        if response.streaming:
            response.streaming_content = _watched(request, response.streaming_content)  # type: ignore[attr-defined]
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse:
        return answer(request, error)


def _watched(request: HttpRequest, stream: Iterable[bytes]) -> Iterator[bytes]:
    # Raised again: the connection must break, so that nobody takes the part for the whole.
    try:
        yield from stream
    except Exception as error:
        _note(request, error)
        raise


def in_our_words(error: BaseException | None) -> ScanpassError:
    """The error as one of our families; whatever isn't known is a mistake of ours and says nothing."""
    if isinstance(error, ScanpassError):
        return error
    return next((ours() for theirs, ours in _THEIRS if isinstance(error, theirs)), ScanpassError())


def answer(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    """Note what went wrong on our side, and answer."""
    _note(request, error)
    return problem(request, in_our_words(error))


def _note(request: HttpRequest, error: BaseException | None) -> None:
    said = in_our_words(error)
    if isinstance(error, VaultDamaged):
        log.error("sealed object refused: %s", error.reason)
    elif error is not said and said.status >= 500:
        view = getattr(request.resolver_match, "view_name", "?")
        log.error("unexpected error in %s", view, exc_info=error, extra={"view": view, "status": said.status})


def wants_json(request: HttpRequest) -> bool:
    """Whether the client is a script: it sent JSON, or asks for it, or fetches image data.

    Staff who follow a link to a scan are people: they are led to what is asked of them first.
    """
    accepted = request.headers.get("Accept", "")
    if request.path.startswith("/desk/studies/") and "text/html" in accepted:
        return False
    return (
        request.content_type == "application/json"
        or "application/json" in accepted
        or request.headers.get("Sec-Fetch-Dest") == "empty"
        or request.path.startswith(("/studies/", "/desk/studies/", "/desk/uploads"))
    )


def problem(request: HttpRequest, error: ScanpassError) -> HttpResponse:
    """The error as problem details or as a page; someone who isn't signed in is sent to sign in."""
    headers = {}
    details = dict(error.details)
    if (retry := getattr(error, "retry_after_s", None)) is not None:
        headers["Retry-After"] = str(retry)
        details["retry_after_s"] = retry
    if wants_json(request):
        words = {"title": gettext(error.title), "status": error.status, "detail": gettext(error.sentence)}
        kind = "application/problem+json"
        return JsonResponse({**details, **words}, status=error.status, headers=headers, content_type=kind)
    # A recipient has no account to sign in with: their page says to open the link again.
    if isinstance(error, SignInRequired) and not request.path.startswith("/s/"):
        back = request.get_full_path() if request.method == "GET" else details.get("back")
        query = urlencode({"next": back}) if back else ""
        return HttpResponseRedirect(f"{reverse('sign_in')}?{query}".rstrip("?"))
    if isinstance(error, FreshCodeRequired | ReasonRequired):
        back = request.path if request.method == "GET" else details.get("back")
        query = urlencode({"next": back}) if back else ""
        return HttpResponseRedirect(f"{details['next']}?{query}".rstrip("?"))
    response = _page(request, error, details)
    for name, value in headers.items():
        response[name] = value
    return response


def _page(request: HttpRequest, error: ScanpassError, details: dict[str, object]) -> HttpResponse:
    page = "error_share.html" if request.path.startswith("/s/") else "error.html"
    title, sentence = gettext(error.title), gettext(error.sentence)
    context = {**details, "title": title, "sentence": sentence, "status": error.status}
    try:
        return render(request, page, context, status=error.status)
    except Exception as again:
        # A page asks for session and practice, and what failed may be just that: the sentence needs nothing.
        log.error("the error page failed too", exc_info=again)
        return HttpResponse(
            f"{title}\n\n{sentence}\n", status=error.status, content_type="text/plain; charset=utf-8"
        )


# --- what Django calls by name -------------------------------------------------------------------------------------


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's view for a missing or wrong CSRF token: the page is older than the session."""
    if page := keep_of_older_page(request):
        return HttpResponseRedirect(page)
    return problem(request, AccessDenied("This page was open too long. Please reload it and try again."))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The one page for every address that isn't there."""
    return problem(request, NotFound())


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What a middleware refuses."""
    return problem(request, AccessDenied())


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """A request that Django itself refused: a foreign Host, a body too large, a session that has ended."""
    return answer(request, exception or InvalidInput())


def server_error(request: HttpRequest) -> HttpResponse:
    """What a middleware raised: Django calls this while it handles the exception."""
    return answer(request, sys.exc_info()[1])
