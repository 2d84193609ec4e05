"""The link's token: 128 random bits that only the message carries; the database keeps its HMAC.

Base58 has no characters that a message app cuts a link at, and none that look alike.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from django.conf import settings

from portal.errors import NotFound
from portal.sealed.keys import installation_key

TOKEN_CHARS: Final = 22  # 58 ** 22 > 2 ** 128
_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_LETTERS: Final = frozenset(_ALPHABET)
# Of the form of a token, so that a preview of a message has the right length.
PLACEHOLDER: Final = "x" * TOKEN_CHARS


def mint() -> str:
    """A new token. It is shown to nobody but the recipient and stored nowhere."""
    number = secrets.randbits(128)
    letters = []
    for _ in range(TOKEN_CHARS):
        number, place = divmod(number, 58)
        letters.append(_ALPHABET[place])
    return "".join(letters)


def parsed_token(value: object) -> str:
    """The token, or the end of a pasted link. Raises `NotFound` for anything else, before any other work."""
    if not isinstance(value, str) or len(value) > 200:
        raise NotFound
    # Who types it from a letter types the groups as they are printed.
    token = "".join(value.rpartition("#")[2].split())
    if len(token) != TOKEN_CHARS or not _LETTERS.issuperset(token):
        raise NotFound
    return token


def token_hmac(token: str) -> bytes:
    """What the database keeps of a token: who reads or writes the table can't make a link from it."""
    return hmac.digest(installation_key("tok", "link"), token.encode(), "sha256")


def link_of(token: str) -> str:
    """The link for the message; made from the installation's own address, never from a request's Host."""
    return f"{settings.PUBLIC_BASE_URL}/s/#{token}"
