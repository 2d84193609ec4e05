"""Whether a share lives: one rule, for queries and for rows."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.db.models import Q

from sharing.models import Share

State = Literal["live", "revoked", "expired", "suspended", "locked"]


def live(moment: datetime) -> Q:
    """Shares that open at this moment."""
    return Q(revoked_at=None, locked_at=None, suspended_at=None, expires_at__gt=moment)


def state_of(share: Share, moment: datetime) -> State:
    """What became of the share; the strongest reason first."""
    if share.revoked_at is not None:
        return "revoked"
    if share.expires_at <= moment:
        return "expired"
    if share.suspended_at is not None:
        return "suspended"
    return "locked" if share.locked_at is not None else "live"
