"""The authenticator app in someone's pocket, written from the standard and not from the product.

Source: RFC 6238 (TOTP) and RFC 4226, 5.3 (truncation).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

STEP_S = 30
DIGITS = 6


class Authenticator:
    """Gives each code once: the site takes none twice."""

    def __init__(self, secret: str) -> None:
        self._key = base64.b32decode(secret.replace(" ", "").upper())
        self._last = 0

    def code(self) -> str:
        """The code of now; asked again within the same 30 s, the next one, which the site takes one step early."""
        step = max(_now(), self._last + 1)
        while step > _now() + 1:
            time.sleep(0.2)
        self._last = step
        return self.at(step)

    def at(self, step: int) -> str:
        """The code of one 30-second step."""
        digest = hmac.digest(self._key, step.to_bytes(8, "big"), hashlib.sha1)
        start = digest[-1] & 0x0F
        number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
        return f"{number % 10**DIGITS:0{DIGITS}d}"


def _now() -> int:
    return int(time.time()) // STEP_S
