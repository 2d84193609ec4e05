"""One way of asking a key service: POST or GET of JSON over verified TLS. Nothing else gets out of here.

A service that can't be reached, or answers what can't be read, is `Sealed`: there is no second way to the keys.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from portal.errors import InvalidInput
from portal.vault.providers.base import sealed

TIMEOUT_S = 5
ANSWER_BYTES_MAX = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and the JSON object that came with it."""

    status: int
    body: dict[str, Any]


class HttpsJson:
    """Asks the service at `url`, trusting the system's certificate authorities or those in `ca_file`."""

    def __init__(self, url: str, *, ca_file: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.netloc:
            raise InvalidInput("The address of a key service must be https.")
        self.host, self._ca_file = parts.netloc, ca_file

    def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send one request. Redirects are answers like others: keys go nowhere else."""
        try:
            status, raw = self._exchange(method, path, body, headers)
        except (OSError, http.client.HTTPException):
            raise sealed("provider-unreachable") from None
        if len(raw) > ANSWER_BYTES_MAX:
            raise sealed("provider-answer")
        try:
            answer = json.loads(raw or b"{}")
        except ValueError:
            raise sealed("provider-answer") from None
        if not isinstance(answer, dict):
            raise sealed("provider-answer")
        return Answer(status, answer)

    def _exchange(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        context = ssl.create_default_context(cafile=self._ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        connection = http.client.HTTPSConnection(self.host, timeout=TIMEOUT_S, context=context)
        try:
            connection.request(method, path, body or None, dict(headers))
            response = connection.getresponse()
            return response.status, response.read(ANSWER_BYTES_MAX + 1)
        finally:
            connection.close()
