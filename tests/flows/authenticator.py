"""The authenticator app in someone's pocket, written from the standard and not from the product.

Source: RFC 6238 (TOTP) and RFC 4226, 5.3 (truncation).
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import time
from pathlib import Path

STEP_S = 30
DIGITS = 6


class Authenticator:
    """Gives each code once: the site takes none twice. `notes` keeps the last one where several processes look."""

    def __init__(self, secret: str, notes: Path | None = None) -> None:
        self._key = base64.b32decode(secret.replace(" ", "").upper())
        self._notes = notes
        self._last = 0

    def code(self) -> str:
        """The code of now; asked again within the same 30 s, the next one, which the site takes one step early."""
        step = self._next_step()
        while step > _now() + 1:
            time.sleep(0.2)
        return self.at(step)

    def _next_step(self) -> int:
        if self._notes is None:
            self._last = max(_now(), self._last + 1)
            return self._last
        with open(self._notes, "a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            step = max(_now(), int(file.read() or 0) + 1)
            file.truncate(0)
            file.write(str(step))
        return step

    def at(self, step: int) -> str:
        """The code of one 30-second step."""
        digest = hmac.digest(self._key, step.to_bytes(8, "big"), hashlib.sha1)
        start = digest[-1] & 0x0F
        number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
        return f"{number % 10**DIGITS:0{DIGITS}d}"


def _now() -> int:
    return int(time.time()) // STEP_S
