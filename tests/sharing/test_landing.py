"""The link's page: inert to robots, the same for all, and unmoved by what isn't a token."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test import Client

from portal.audit.models import AuditEntry
from sharing import tokens
from sharing.models import Share, ShareSession
from tests.sharing.conftest import Recipient

PATHS = (
    "/s/", "/s/paste", "/s/open", "/s/birthdate", "/s/address", "/s/code", "/s/code/verify", "/s/ended", "/s/renew",
    "/s/view", "/s/studies.json", "/s/activity", "/s/end", "/s/done",
)  # fmt: skip


def _everything() -> list[tuple[str, list[str]]]:
    """Every row of every table, as the database holds it."""
    found = []
    for table in sorted(connection.introspection.table_names()):
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{table}"')
            plain = [
                [bytes(value) if isinstance(value, memoryview) else value for value in row] for row in cursor
            ]
        found.append((table, sorted(map(repr, plain))))
    return found


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "patch", "delete", "trace"])
@pytest.mark.parametrize(
    "headers", [{}, {"X-HTTP-Method-Override": "POST"}, {"User-Agent": "facebookexternalhit/1.1"}]
)
def test_p15_d1_only_post_changes_anything_even_with_a_session(phone, token, method, headers):
    phone.open(token)
    before = _everything()
    for path in PATHS:
        getattr(phone.client, method)(path, headers=headers)
        getattr(phone.client, method)(
            f"{path}?token={token}&year=1986&month=4&day=12&_method=POST", headers=headers
        )
    assert _everything() == before
    assert len(phone.sent) == 1


def test_p15_the_page_is_the_same_bytes_for_every_link_and_names_nobody(phone, token):
    first, second = phone.get("/s/"), Client(headers={"host": "127.0.0.1"}).get(f"/s/?{token}")
    assert first.content == second.content
    assert b"Smile" not in first.content
    assert b"og:" not in first.content
    assert first["X-Robots-Tag"] == "noindex, nofollow"
    assert first["Cache-Control"] == "no-store"
    assert "csrftoken" in first.cookies
    assert "share" not in first.cookies


@pytest.mark.parametrize(("language", "other"), [("en", "Español"), ("es", "English")])
def test_p17_the_other_language_is_offered_in_its_own_words(phone, language, other):
    page = phone.get("/s/", headers={"Accept-Language": language}).content.decode()
    assert f">{other}</button>" in page
    assert page.count('name="language"') == 1


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "0" * 22, "O" * 22, "l" * 22, "a" * 21, "a" * 23, "a" * 2000, "é" * 22, "ａ" * 22, "../../etc", None,
        7, 1e300, True, ["a" * 22], {"token": "a"}, "\x00" * 22, "a" * 21 + "\n", "'; DROP TABLE sharing_share; --",
    ],
)  # fmt: skip
def test_what_is_no_token_is_refused_in_words_without_a_session(phone, share, value):
    answer = phone.post("/s/open", {"token": value})
    assert answer.status_code in {400, 404}
    assert answer.json()["detail"]
    assert "share" not in answer.cookies
    assert not ShareSession.objects.exists()


@pytest.mark.parametrize(
    "body", ["[]", "null", "7", '"x"', "{", "\xff", "[" * 5000, '{"token":' * 500, "nope"]
)
def test_a_body_that_is_no_object_is_refused_in_words(phone, share, body):
    answer = phone.post("/s/open", body)
    assert answer.status_code in {400, 404}
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("length", [9_000, 900_000, 3_000_000])
def test_a_large_body_is_refused_unread(phone, share, length):
    assert phone.post("/s/open", json.dumps({"token": "1" * length})).status_code in {400, 413}


def test_without_the_csrf_token_no_step_is_taken(phone, token):
    stranger = Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1"})
    for path in PATHS:
        assert stranger.post(path, {"token": token}).status_code in {403, 405}, path
    assert not ShareSession.objects.exists()


def test_an_unknown_link_leaves_no_trace_in_any_practices_trail(phone, share):
    before = AuditEntry.objects.count()
    phone.open("1" * 22)
    phone.birthdate()
    assert AuditEntry.objects.count() == before


def test_one_address_that_opens_links_by_the_hundred_is_told_to_wait(phone, token, settings, monkeypatch):
    from sharing import limits

    monkeypatch.setattr(limits, "OPENS_HOUR", limits.Cap("opens", 3, 3600))
    answers = [
        phone.post("/s/open", {"token": "1" * 22}, REMOTE_ADDR="192.0.2.9").status_code for _ in range(5)
    ]
    assert answers == [404, 404, 404, 429, 429]
    assert phone.post("/s/open", {"token": token}, REMOTE_ADDR="192.0.2.10").status_code == 200
    assert phone.post("/s/open", {"token": token}, REMOTE_ADDR="127.0.0.1").status_code == 200


def test_tokens_have_128_bits_and_the_database_knows_only_their_hmac(share, token):
    made = {tokens.mint() for _ in range(2000)}
    assert len(made) == 2000
    assert all(len(one) == 22 and tokens.parsed_token(one) == one for one in made)
    assert {one[0] for one in made} > set("123456789ABC"), "every letter of the alphabet at every place"
    kept = bytes(Share.objects.get().token_hmac)
    assert kept == tokens.token_hmac(token)
    assert len(kept) == 32


def test_neither_token_nor_code_nor_cookie_stands_in_the_database(phone, token):
    phone.walk_in(token)
    code, cookie = phone.sent[-1].body.rsplit("#", 1)[1], phone.cookie
    held = "".join("".join(rows) for _table, rows in _everything())
    for secret in (token, cookie, "+12015550123", "Maria", "Garcia", "1986-04-12"):
        assert secret not in held, secret
    assert f"'{code}'" not in held
    assert "'queued'" in held, "the search itself must find something"


def test_a_second_browser_may_open_the_same_link(sent, token):
    one, two = Recipient(sent), Recipient(sent)
    assert one.open(token).status_code == two.open(token).status_code == 200
    assert one.birthdate().status_code == two.birthdate().status_code == 200
