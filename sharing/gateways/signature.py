"""Signed requests between Scanpass and a practice's own gateway, the same in both directions.

    Scanpass-Timestamp: 1767225600
    Scanpass-Signature: v1=<hex of HMAC-SHA256(secret, timestamp ‖ "." ‖ body)>

The timestamp is inside the signature, so an old request can't be sent again under a new time.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.conf import settings

from portal.clock import now

TIMESTAMP: Final = "Scanpass-Timestamp"
SIGNATURE: Final = "Scanpass-Signature"
_TIMESTAMP_CHARS_MAX: Final = 12


def signed(body: bytes, moment: datetime) -> dict[str, str]:
    """The two headers of a request that leaves at this moment."""
    timestamp = str(int(moment.timestamp()))
    return {TIMESTAMP: timestamp, SIGNATURE: f"v1={_mac(timestamp, body)}"}


def is_signed(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a request carries our secret's signature, made within the last five minutes."""
    timestamp, signature = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
    if not settings.WEBHOOK_SECRET or not timestamp.isascii() or not timestamp.isdigit():
        return False
    if len(timestamp) > _TIMESTAMP_CHARS_MAX:
        return False
    if abs(now().timestamp() - int(timestamp)) > settings.WEBHOOK_SKEW_S:
        return False
    return hmac.compare_digest(signature.encode(), f"v1={_mac(timestamp, body)}".encode())


def _mac(timestamp: str, body: bytes) -> str:
    return hmac.new(settings.WEBHOOK_SECRET.encode(), timestamp.encode() + b"." + body, "sha256").hexdigest()
