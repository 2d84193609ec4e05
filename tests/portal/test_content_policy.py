"""One policy for every answer, but where a view says otherwise."""

from __future__ import annotations

from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from portal.content_policy import ContentPolicyMiddleware


def policy_of(view: object) -> set[str]:
    """The directives a browser is told after this view."""
    answer = ContentPolicyMiddleware(view)(RequestFactory().get("/"))  # type: ignore[arg-type]
    return {directive.strip() for directive in answer["Content-Security-Policy"].split(";")}


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def test_an_answer_has_the_policy_of_the_settings() -> None:
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= policy_of(plain)


def test_a_decorated_view_changes_its_own_policy_and_no_other() -> None:
    loosened = csp_update({"img-src": ["blob:"]})(plain)
    assert "img-src 'self' blob:" in policy_of(loosened)
    assert "img-src 'self'" in policy_of(plain)
