"""Answering a step: a script gets JSON, a browser the next page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.views.decorators.http import require_http_methods

from portal.errors import CodeRefused, InvalidInput, LimitReached, ScanpassError
from sharing.inputs import is_json

View: TypeAlias = Callable[[HttpRequest], HttpResponse]
Page: TypeAlias = Callable[[HttpRequest, ScanpassError | None], HttpResponse]


def onward(request: HttpRequest, facts: dict[str, Any], *, page: str, status: int = 200) -> HttpResponse:
    """The step is done: its facts as JSON, or a redirect to the page that comes next."""
    if is_json(request):
        return JsonResponse(facts, status=status)
    response = HttpResponseRedirect(page)
    response.status_code = 303  # a reload of the next page must not send the form again
    return response


def refused(request: HttpRequest, error: ScanpassError, *, page: str, **facts: Any) -> HttpResponse:
    """A refusal that goes on all the same: problem details that name the next step, or its page."""
    if not is_json(request):
        return onward(request, {}, page=page)
    body = {"title": error.title, "status": error.status, "detail": error.sentence, **facts}
    return JsonResponse(body, status=error.status, content_type="application/problem+json")


def keep_cookie(response: HttpResponse, key: str) -> HttpResponse:
    """Give the browser the cookie of its new session. It ends with the browser, and no script reads it."""
    response.set_cookie(
        settings.SHARE_COOKIE_NAME,
        key,
        path="/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
    return response


def drop_cookie(response: HttpResponse) -> HttpResponse:
    """Take the cookie away. Chromium drops a page from its back-forward cache when a cookie like this changes."""
    response.delete_cookie(settings.SHARE_COOKIE_NAME, path="/", samesite="Strict")
    return response


def with_page(page: Page) -> Callable[[View], View]:
    """GET shows the page; a POST refused for what was typed shows it again with the words, unless a script asked."""

    def decorate(post: View) -> View:
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(post)
        def view(request: HttpRequest) -> HttpResponse:
            if request.method != "POST":
                return page(request, None)
            try:
                return post(request)
            except (InvalidInput, CodeRefused, LimitReached) as error:
                if is_json(request):
                    raise
                response = page(request, error)
                if response.status_code == 200:
                    response.status_code = error.status
                if isinstance(error, LimitReached) and error.retry_after_s is not None:
                    response["Retry-After"] = str(error.retry_after_s)
                return response

        return view

    return decorate
