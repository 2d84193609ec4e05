"""R14: a link's token is 128 random bits, and the database can't give it back."""

from __future__ import annotations

import hashlib
import secrets

import pytest

from sharing import tokens
from sharing.models import Share


@pytest.mark.parametrize("number", [0, 1, 2**127, 2**128 - 1])
def test_r14_a_token_spells_128_random_bits_without_losing_one(number, monkeypatch):
    asked = []
    monkeypatch.setattr(secrets, "randbits", lambda bits: asked.append(bits) or number)
    token = tokens.mint()
    assert asked == [128]
    assert len(token) == tokens.TOKEN_CHARS
    assert sum(tokens._ALPHABET.index(letter) * 58**place for place, letter in enumerate(token)) == number
    assert tokens.parsed_token(tokens.link_of(token)) == token


def test_r14_the_database_keeps_a_keyed_hash_alone(token, share):
    (row,) = Share.objects.filter(pk=share.pk).values()
    assert bytes(row["token_hmac"]) == tokens.token_hmac(token)
    assert bytes(row["token_hmac"]) != hashlib.sha256(token.encode()).digest(), "anyone could compute that"
    for name, value in row.items():
        kept = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
        assert token.encode() not in kept, name
