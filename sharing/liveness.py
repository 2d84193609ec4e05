"""Whether a share lives: one rule, for queries and for rows."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.db.models import F, Q

from sharing.models import Share

State = Literal["live", "revoked", "expired", "suspended", "locked", "used"]


def live(moment: datetime) -> Q:
    """Shares that open at this moment. What was noted as expired stays so, though a clock be set back."""
    return Q(revoked_at=None, locked_at=None, suspended_at=None, expired_noted_at=None, expires_at__gt=moment)


def state_of(share: Share, moment: datetime) -> State:
    """What became of the share; the strongest reason first."""
    if share.revoked_at is not None:
        return "revoked"
    if share.expires_at <= moment or share.expired_noted_at is not None:
        return "expired"
    if share.suspended_at is not None:
        return "suspended"
    return "locked" if share.locked_at is not None else "live"


def state_for_newcomer(share: Share, moment: datetime) -> State:
    """The same for whoever isn't in yet: "used" when the share was opened as often as it allows.

    Who is in stays in, and may get a fresh code for a download.
    """
    state = state_of(share, moment)
    is_used = share.opens_max is not None and share.opens >= share.opens_max
    return "used" if state == "live" and is_used else state


def opens_left() -> Q:
    """Shares that may be opened once more."""
    return Q(opens_max=None) | Q(opens__lt=F("opens_max"))
