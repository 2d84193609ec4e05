"""One-time codes: six digits, kept as a keyed hash bound to their challenge and share.

Source: NIST SP 800-63B-4, 3.1.3.2.
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from typing import Final

from portal.sealed.keys import installation_key

DIGITS: Final = 6


def make_code() -> str:
    """Six random digits."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def code_hmac(code: str, *, challenge: uuid.UUID, share: uuid.UUID) -> bytes:
    """What the database keeps of a code; the key isn't in the database, so 10^6 guesses there tell nothing."""
    message = challenge.bytes + share.bytes + code.encode()
    return hmac.digest(installation_key("otp", "code"), message, "sha256")


def is_code(code: str, kept: bytes, *, challenge: uuid.UUID, share: uuid.UUID) -> bool:
    """Whether this is the code, in constant time."""
    return hmac.compare_digest(code_hmac(code, challenge=challenge, share=share), kept)
