"""A code is made in the moment it leaves: into a text, or into the ear of who pressed the key. Kept is a keyed hash."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from portal.clock import now
from sharing.codes import code_hmac, make_code
from sharing.liveness import live
from sharing.models import Challenge, Message, Share


def mint_code(message: Message) -> str | None:
    """Make this message's code, in the caller's transaction; None where nobody could use it any more."""
    if message.challenge_id is None:
        return None
    code, moment = make_code(), now()
    made = still_wanted(message, moment).update(
        code_hmac=code_hmac(code, challenge=message.challenge_id, share=message.share_id),
        expires_at=moment + timedelta(seconds=settings.CODE_LIFETIME_S),
    )
    return code if made else None


def still_wanted(message: Message, moment: datetime) -> QuerySet[Challenge]:
    """The message's challenge while a code for it opens something, and still goes where the share goes."""
    share = message.share
    return Challenge.objects.filter(
        pk__in=Message.objects.filter(pk=message.pk).values("challenge"),
        consumed_at=None,
        expires_at__gt=moment,
        session__ended_at=None,
        share__in=Share.objects.filter(live(moment), pk=share.pk, address_index=share.address_index),
    )
