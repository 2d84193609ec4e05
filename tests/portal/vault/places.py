"""Keys and contexts for the vault's tests."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import uuid4

from portal.vault.context import Context


def a_context(**change: Any) -> Context:
    place: dict[str, Any] = {name: uuid4() for name in ("practice", "study", "series", "instance")}
    return Context(**{**place, "kind": "frame", "index": 0, "level": 0, "generation": 1, **change})


def a_place(**change: Any) -> dict[str, Any]:
    """What sealing and opening both need, by keyword."""
    return {"dek": secrets.token_bytes(32), "dek_id": secrets.token_bytes(16), "context": a_context(**change)}
