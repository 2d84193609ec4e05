"""Every answer has its headers, whoever gave it: a view, Django itself, the file server or an error page."""

from __future__ import annotations

import pytest
from django.test import Client

from portal.middleware import HEADERS

ANSWERS = [
    ("GET", "/healthz", 200),
    ("HEAD", "/healthz", 200),
    ("OPTIONS", "/healthz", 405),
    ("GET", "/nowhere", 404),
    ("GET", "/static/css/tokens.css", 200),
    ("GET", "/static/nowhere.css", 404),
    ("GET", "/desk/", 302),
    ("POST", "/desk/", 302),
    ("GET", "/", 200),
]


def _hardened(response) -> None:
    for name, value in HEADERS.items():
        assert response[name] == value, name
    policy = set(response["Content-Security-Policy"].split("; "))
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} <= policy
    assert not any("unsafe" in directive for directive in policy)


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_is_hardened(db, method, path, status):
    response = Client().generic(method, path)
    response.close()
    assert response.status_code == status
    _hardened(response)


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/desk/", "/static/nowhere.css"])
def test_nothing_but_our_own_files_may_be_kept(db, path):
    assert Client().get(path)["Cache-Control"] == "no-store"


def test_our_own_files_may_be_kept(db):
    response = Client().get("/static/css/tokens.css")
    response.close()
    assert "no-store" not in response["Cache-Control"]
    assert response["Cache-Control"].startswith("max-age=")
    assert (
        Client().get("/static/css/tokens.css", headers={"if-none-match": response["ETag"]}).status_code == 304
    )


def test_a_foreign_host_is_refused_with_all_headers_and_without_its_name():
    response = Client(headers={"host": "evil.example"}).get("/")
    assert response.status_code == 400
    assert b"evil" not in response.content
    _hardened(response)
    assert response["Cache-Control"] == "no-store"


def test_over_https_a_foreign_host_is_refused_with_all_headers(settings):
    settings.SECURE_SSL_REDIRECT = True
    response = Client(headers={"host": "evil.example"}).get("/")
    assert response.status_code == 400
    _hardened(response)


def test_the_load_balancer_is_answered_and_not_sent_to_https(settings):
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/healthz").status_code == 200
    assert Client().get("/").status_code == 301


def test_a_refused_form_has_all_headers(db):
    response = Client(enforce_csrf_checks=True).post("/", {})
    assert response.status_code == 403
    _hardened(response)
    assert "open too long" in response.content.decode()
