"""The one door through which randomness enters: salts, nonces, keys and pack names.

It is a door so that the vectors can be made twice with the same bytes. Nothing else may replace it.
"""

from __future__ import annotations

import secrets


def random_bytes(count: int) -> bytes:
    """`count` bytes from the operating system's generator."""
    return secrets.token_bytes(count)
