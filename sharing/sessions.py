"""A recipient's sessions: a row and a cookie for each step, so that no step's cookie opens the next."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from portal.clock import now
from portal.sealed.keys import installation_key
from sharing.liveness import live
from sharing.models import Share, ShareSession

KEY_CHARS: Final = 43  # 32 random bytes in base64


def key_hmac(key: str) -> bytes:
    """What the database keeps of a cookie: who reads the table can't take a session over."""
    return hmac.digest(installation_key("session", "share"), key.encode(), "sha256")


def begin(share: Share | None, step: str, *, at: datetime | None = None) -> tuple[ShareSession, str]:
    """A new session at this step and the key for its cookie. `share` is None for a link that nobody knows."""
    moment, key = at or now(), secrets.token_urlsafe(32)
    ends_at = moment + timedelta(seconds=settings.SHARE_ABSOLUTE_S)
    session = ShareSession.objects.create(
        share=share,
        key_hmac=key_hmac(key),
        step=step,
        created_at=moment,
        idle_until=min(moment + timedelta(seconds=settings.SHARE_IDLE_S), ends_at),
        ends_at=ends_at,
        verified_at=moment if step == ShareSession.Step.VERIFIED else None,
    )
    return session, key


def step_on(session: ShareSession, step: str) -> tuple[ShareSession, str] | None:
    """End this session and begin the next; None when it had already ended: of two requests one goes on."""
    moment = now()
    if not ShareSession.objects.filter(pk=session.pk, ended_at=None).update(ended_at=moment):
        return None
    return begin(session.share, step, at=moment)


def find(key: str) -> ShareSession | None:
    """The open session that this cookie's key belongs to, with its share and what the pages show of it."""
    if len(key) != KEY_CHARS:
        return None
    moment = now()
    return (
        ShareSession.objects.select_related("share__practice", "share__patient", "share__disclosure")
        .filter(key_hmac=key_hmac(key), ended_at=None, idle_until__gt=moment, ends_at__gt=moment)
        .first()
    )


def ended_with_share(key: str) -> bool:
    """Whether this cookie's session had opened the scan, and its share lives no more."""
    if len(key) != KEY_CHARS:
        return False
    was_in = ShareSession.objects.filter(key_hmac=key_hmac(key), step=ShareSession.Step.VERIFIED)
    share = was_in.values_list("share_id", flat=True).first()
    return share is not None and not Share.objects.filter(live(now()), pk=share).exists()


def touch(session: ShareSession) -> None:
    """The session was used: it idles out later, but never after its end."""
    idle_until = min(now() + timedelta(seconds=settings.SHARE_IDLE_S), session.ends_at)
    ShareSession.objects.filter(pk=session.pk, ended_at=None).update(idle_until=idle_until)


def end_all(share: Share, moment: datetime) -> int:
    """End every session of a share, in the transaction of what ends them."""
    return ShareSession.objects.filter(share=share, ended_at=None).update(ended_at=moment)
