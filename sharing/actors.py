"""Recipients as the trail names them."""

from __future__ import annotations

from typing import Final

from portal.audit.actor import Actor
from sharing.models import Share, ShareSession

_METHODS: Final = {
    ShareSession.Step.OPENED: "link",
    ShareSession.Step.DECOY: "link",
    ShareSession.Step.MATCHED: "link+match",
    ShareSession.Step.VERIFIED: "link+match+code",
}


def recipient(share: Share, session: ShareSession | None = None, *, address: str = "") -> Actor:
    """Who came with this share's link, how far they have proved it, and from where."""
    return Actor(
        kind="recipient",
        practice=share.practice_id,
        id=share.pk,
        role=share.disclosure.recipient_kind,
        label=share.disclosure.recipient_name,
        session=str(session.pk) if session else "",
        method=_METHODS[ShareSession.Step(session.step)] if session else "link",
        address=address,
    )
