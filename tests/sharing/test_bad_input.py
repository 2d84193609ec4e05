"""What nobody in their right mind sends: each is refused in words, spends no try, and sends nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from portal.errors import InvalidInput
from sharing.addresses import mobile_number
from sharing.gateways.memory import Kept
from sharing.models import Challenge, Message, Share, ShareSession
from tests.sharing.conftest import Recipient, make_share, run_jobs, token_in

pytestmark = pytest.mark.django_db


def _as_stranger(token: str) -> list[str]:
    flipped = token.swapcase()
    return [
        flipped,
        token[::-1],
        token + token,
        f"{token} {token}",
        token[:-1] + ("2" if token[-1] != "2" else "3"),
    ]


def test_a_token_doubled_turned_or_case_flipped_opens_nothing(
    share: Share, token: str, sent: list[Kept]
) -> None:
    for wrong in _as_stranger(token):
        answer = Recipient(sent).open(wrong)
        assert answer.status_code == 404, wrong
        assert "for" not in answer.json()
    assert Recipient(sent).open(token).status_code == 200


def test_a_megabyte_of_token_is_refused_unread(phone: Recipient, share: Share) -> None:
    for answer in (
        phone.post("/s/open", {"token": "A" * 1_000_000}),
        phone.submit("/s/paste", token="A" * 1_000_000),
    ):
        assert answer.status_code in {400, 404, 413}
    assert not ShareSession.objects.exists()


@pytest.mark.parametrize("name", ["token", "year", "address", "code"])
def test_a_field_sent_twice_is_the_last_one_and_never_a_list(
    phone: Recipient, token: str, share: Share, name: str
) -> None:
    phone.get("/s/")
    csrf = phone.client.cookies["csrftoken"].value
    form = f"csrfmiddlewaretoken={csrf}&{name}=1&{name}={token}"
    answer = phone.client.post("/s/paste", form, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == (303 if name == "token" else 404)


@pytest.mark.parametrize(
    "code", ["1e5", "+123456", "0x1E240", "123456e0", [1, 2, 3, 4, 5, 6], {"$gt": ""}, "１２３"]
)
def test_a_code_in_a_shape_of_its_own_is_no_try(phone: Recipient, token: str, code: Any) -> None:
    phone.open(token)
    phone.birthdate()
    phone.ask_code()
    assert phone.post("/s/code/verify", {"code": code}).status_code == 400
    assert Challenge.objects.get().tries == 0
    assert Share.objects.get().code_failures == 0


@pytest.mark.parametrize(
    "number",
    [
        "+1 900 555 0142", "+1 242 365 0142", "+44 7911 123456", "+88213 12345", "+1 800 555 0142", "911", "+1", "０",
        "2065550142" * 50, "drop table", "",
    ],
)  # fmt: skip
def test_premium_foreign_and_impossible_numbers_get_no_text(number: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        mobile_number(number)
    assert refused.value.details["field"] == "address"


def test_a_fifth_wrong_date_locks_and_a_sixth_is_not_looked_at(
    phone: Recipient, token: str, share: Share
) -> None:
    phone.open(token)
    left = [phone.birthdate(1950 + n).json()["tries_left"] for n in range(5)]
    assert left == [4, 3, 2, 1, 0]
    assert phone.birthdate().status_code == 422, "not even the right one"
    share.refresh_from_db()
    assert (share.match_misses, share.locked_at is not None) == (5, True)


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
@pytest.mark.parametrize("purpose", ["prefetch", "prerender"])
def test_p15_prefetching_and_method_overrides_are_only_looks(
    phone: Recipient, token: str, header: str, purpose: str
) -> None:
    phone.open(token)
    phone.birthdate()
    before = (Message.objects.count(), ShareSession.objects.count())
    headers = {header: "POST", "Sec-Purpose": purpose, "Purpose": purpose}
    for path in ("/s/code", "/s/birthdate", "/s/renew", "/s/end", "/s/colleague", "/s/files"):
        for ask in (phone.client.get, phone.client.head):
            ask(f"{path}?_method=POST&code=123456", headers=headers)
    assert (Message.objects.count(), ShareSession.objects.count()) == before
    assert not Challenge.objects.exists()


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80@127.0.0.1", "[::1"]
)
def test_another_hosts_name_is_refused_and_stands_in_no_link(
    share: Share, sent: list[Kept], host: str, pat: Any, dana: Any
) -> None:
    answer = Client(headers={"host": host, "x-forwarded-host": host}).get("/s/")
    assert answer.status_code == 400
    make_share(pat, dana, address="+12065550142")
    run_jobs()
    assert f"{settings.PUBLIC_BASE_URL}/s/#{token_in(sent[-1])}" in sent[-1].body
    assert "evil" not in sent[-1].body
