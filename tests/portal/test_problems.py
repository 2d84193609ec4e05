"""Errors in words: whatever is raised, wherever, a person gets a sentence and a script gets problem details."""

from __future__ import annotations

import io
import logging

import pytest
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import path

from portal import problems
from portal.accounts.permissions import public
from portal.errors import LimitReached, NotFound, Sealed, SignInRequired, VaultDamaged
from portal.urls import handler400, handler403, handler404, handler500
from portal.urls import urlpatterns as real

SECRET = "Maria Garcia 1986-04-12"
raised: list[Exception] = [Exception()]


@public
def raising(request: HttpRequest) -> HttpResponse:
    raise raised[0]


@public
def breaking_stream(request: HttpRequest) -> StreamingHttpResponse:
    def parts():
        yield b"first"
        raise raised[0]

    return StreamingHttpResponse(parts())


@public
def reading(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(len(request.POST)))


class RaisingMiddleware:
    def __init__(self, respond):
        self.respond = respond

    def __call__(self, request):
        raise raised[0]


urlpatterns = [
    *real,
    path("raise", raising),
    path("s/raise", raising),
    path("stream", breaking_stream),
    path("read", reading),
]
handlers = (handler400, handler403, handler404, handler500)

pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def log(caplog):
    """What was logged, as the redaction lets it out."""
    from portal.redaction import LineFormatter, Redaction

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(Redaction())
    handler.setFormatter(LineFormatter())
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def _get(address: str, error: Exception, **headers: str):
    raised[0] = error
    return Client(raise_request_exception=False).get(address, headers=headers)


STATUS = [
    (NotFound(), 404),
    (LimitReached(retry_after_s=7), 429),
    (Sealed(), 503),
    (VaultDamaged("tag"), 503),
    (Http404(SECRET), 404),
    (PermissionDenied(SECRET), 403),
    (SuspiciousOperation(SECRET), 400),
    (OperationalError(SECRET), 503),
    (ValueError(SECRET), 500),
]


@pytest.mark.parametrize(("error", "status"), STATUS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("address", ["/raise", "/s/raise"])
def test_what_a_view_raises_becomes_a_page_without_its_text(db, log, error, status, address):
    page = _get(address, error)
    assert page.status_code == status
    assert page["Content-Type"].startswith("text/html")
    assert b"Garcia" not in page.content
    assert "Garcia" not in log.getvalue()


@pytest.mark.parametrize(("error", "status"), STATUS, ids=lambda value: type(value).__name__)
def test_what_a_view_raises_becomes_problem_details_for_a_script(db, log, error, status):
    answer = _get("/raise", error, accept="application/json")
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert set(answer.json()) <= {"title", "status", "detail", "retry_after_s"}
    assert "Garcia" not in answer.content.decode() + log.getvalue()


def test_waiting_is_told_in_the_header_and_in_the_body(db):
    answer = _get("/raise", LimitReached(retry_after_s=7), accept="application/json")
    assert (answer["Retry-After"], answer.json()["retry_after_s"]) == ("7", 7)
    assert _get("/raise", LimitReached(retry_after_s=7))["Retry-After"] == "7"


def test_someone_not_signed_in_is_sent_to_sign_in_and_a_script_is_told(db):
    assert _get("/raise", SignInRequired())["Location"] == "/?next=%2Fraise"
    assert _get("/raise", SignInRequired(), accept="application/json").status_code == 401


@pytest.mark.parametrize(
    ("error", "status"),
    [(Sealed(), 503), (OperationalError(SECRET), 503), (ValueError(SECRET), 500), (SuspiciousOperation(SECRET), 400),
     (Http404(SECRET), 404), (PermissionDenied(SECRET), 403), (SessionInterrupted(SECRET), 302)],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_a_middleware_raises_is_answered_alike(db, settings, log, error, status):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.RaisingMiddleware"]
    page = _get("/healthz", error)
    assert page.status_code == status
    assert page["Cache-Control"] == "no-store"
    assert "Garcia" not in page.content.decode() + log.getvalue()


def test_a_mistake_of_ours_is_logged_with_its_place_and_without_its_text(db, log):
    _get("/raise", ValueError(SECRET))
    assert "unexpected error" in log.getvalue()
    assert "ValueError" in log.getvalue()
    assert "test_problems.py" in log.getvalue()


def test_a_mistake_in_a_middleware_is_logged_too(db, settings, log):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.RaisingMiddleware"]
    _get("/healthz", ValueError(SECRET))
    assert "ValueError" in log.getvalue()


def test_a_refusal_is_not_logged_as_a_mistake(db, log):
    _get("/raise", NotFound())
    _get("/raise", Http404())
    assert log.getvalue() == ""


def test_a_damaged_object_is_logged_by_its_reason(db, log):
    _get("/raise", VaultDamaged("commitment"))
    assert "sealed object refused: commitment" in log.getvalue()


def test_a_stream_that_breaks_breaks_the_connection_and_is_logged(db, log):
    raised[0] = ValueError(SECRET)
    parts = iter(Client().get("/stream"))
    assert next(parts) == b"first"
    with pytest.raises(ValueError, match="Garcia"):
        next(parts)
    assert "ValueError" in log.getvalue()
    assert "Garcia" not in log.getvalue()


def test_when_even_the_page_fails_the_sentence_still_comes(db, monkeypatch, log):
    def broken(*args, **kwargs):
        raise OperationalError(SECRET)

    monkeypatch.setattr(problems, "render", broken)
    page = _get("/raise", Sealed())
    assert page.status_code == 503
    assert page.content.decode() == f"{Sealed.title}\n\n{Sealed.sentence}\n"
    assert "Garcia" not in log.getvalue()


def test_a_form_that_is_too_large_is_refused_in_words(db, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    client = Client(raise_request_exception=False, headers={"accept": "application/json"})
    page = client.post("/read", b"x=" + b"y" * 2000, content_type="application/x-www-form-urlencoded")
    assert page.status_code == 413


def test_details_never_replace_the_words(db):
    answer = _get("/raise", NotFound(detail="x", status=1, extra=2), accept="application/json")
    assert answer.json() == {"title": NotFound.title, "status": 404, "detail": NotFound.sentence, "extra": 2}
