"""One POST to a vendor: over TLS, with a time limit, without following anybody elsewhere.

Nothing here is logged, and no exception of the library gets out: their texts quote URLs, headers and answers.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings

from sharing.gateways.base import Undeliverable
from sharing.troubles import Trouble

_ANSWER_MAX_BYTES: Final = 64 * 1024
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_BUSY: Final = 429


@dataclass(frozen=True, slots=True)
class Answer:
    """What the vendor said: an HTTP status and the start of the body."""

    status: int
    body: bytes

    @property
    def is_accepted(self) -> bool:
        return 200 <= self.status < 300

    def document(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one for anything else."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The message was meant for the address in the settings and nobody it may point to."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def is_safe(url: str) -> bool:
    """Whether a message may go there: by TLS, or to this very machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Send it. Raises `Undeliverable` (down) when no answer comes, (not set up) for an address without TLS."""
    if not is_safe(url):
        raise Undeliverable(Trouble.NOT_SET_UP)
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 (is_safe)
    try:
        with _opener.open(request, timeout=settings.GATEWAY_TIMEOUT_S) as response:
            return Answer(response.status, response.read(_ANSWER_MAX_BYTES))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, _rest(error))
    except (OSError, http.client.HTTPException, ValueError):
        # ValueError: an address or header that can't be written as HTTP.
        raise Undeliverable(Trouble.DOWN) from None


def _rest(error: urllib.error.HTTPError) -> bytes:
    try:
        return error.read(_ANSWER_MAX_BYTES)
    except (OSError, http.client.HTTPException):
        return b""


def refusal(answer: Answer) -> Undeliverable:
    """What an answer without a reason means: our account is refused, or the vendor is down or busy.

    Either passes; a message is given up only for a reason that the vendor names.
    """
    is_ours = 300 <= answer.status < 500 and answer.status != _BUSY
    return Undeliverable(Trouble.REFUSED if is_ours else Trouble.DOWN)
