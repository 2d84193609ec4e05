"""After a restore nobody's link opens by itself: what was revoked since is revoked again, the rest waits for the desk.

`portal.backups` names these by string: it stands to the left.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db import transaction

from portal.audit.actor import system
from portal.clock import now
from sharing.liveness import live
from sharing.lock import lock
from sharing.models import DeskTask, Message, Share, ShareSession
from sharing.revoke import revoke

REASON = "restored"


def revoked_shares() -> list[str]:
    """The ids of every share that was revoked: what an epoch keeps."""
    revoked = Share.objects.filter(revoked_at__isnull=False).order_by("pk")
    return [str(share) for share in revoked.values_list("pk", flat=True)]


def close_all(revoked: Iterable[str]) -> dict[str, int]:
    """Revoke again, lock what lives, stop what was being sent, end every session. Returns the counts."""
    with transaction.atomic():
        again = _revoke_again(revoked)
        locked = 0
        for share in Share.objects.filter(live(now())).select_related("disclosure"):
            actor = system(share.practice_id)
            locked += lock(share, actor=actor, reason=REASON, task=DeskTask.Kind.RESTORED)
        messages = Message.objects.filter(state__in=[Message.State.QUEUED, Message.State.HELD]).update(
            state=Message.State.FAILED
        )
        moment = now()
        sessions = ShareSession.objects.filter(ended_at=None).update(ended_at=moment)
        Session.objects.all().delete()
    return {
        "revoked_again": again,
        "shares_locked": locked,
        "messages_stopped": messages,
        "sessions_ended": sessions,
    }


def _revoke_again(revoked: Iterable[str]) -> int:
    unaware = Share.objects.filter(revoked_at=None)
    count = 0
    for known in map(UUID, revoked):
        share = unaware.filter(pk=known).first()
        if share is not None:
            revoke(share, actor=system(share.practice_id))
            count += 1
    return count
