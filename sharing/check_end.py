"""Before a share goes on until another day: it is the practice's own, and nothing it rests on ends sooner."""

from __future__ import annotations

from datetime import datetime

from portal.audit.actor import Actor
from portal.errors import NotFound
from sharing.guardians import check_standing
from sharing.issue import check_expiry
from sharing.models import Share
from sharing.onward import check_parent


def check_end(share: Share, expires_at: datetime, *, actor: Actor) -> None:
    """Raise `InvalidInput` beyond the practice's maximum, the guardian's standing or the patient's own share."""
    if share.practice_id != actor.practice:
        raise NotFound
    check_expiry(share.practice, expires_at)
    check_standing(share, expires_at)
    check_parent(share, expires_at)
