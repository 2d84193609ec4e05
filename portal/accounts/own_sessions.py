"""The browsers in which a member of staff is signed in, and ending the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib.auth import SESSION_KEY
from django.db import transaction

from portal.accounts.models import User
from portal.accounts.sessions import SessionStore
from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now


@dataclass(frozen=True, slots=True)
class OwnSession:
    """One browser. `name` is the session's name in the database, which opens nothing."""

    name: str
    address: str
    started_at: datetime
    seen_at: datetime
    is_this: bool


def sessions_of(user: User, *, this: str) -> list[OwnSession]:
    """The user's living sessions, this one first, then the one used last."""
    store = SessionStore()
    found = [
        _described(row.session_key, content, this)
        for row in store.model.objects.filter(expire_date__gt=now())
        if (content := store.decode(row.session_data)).get(SESSION_KEY) == str(user.pk)
    ]
    return sorted(found, key=lambda one: (not one.is_this, -one.seen_at.timestamp()))


def end_others(user: User, *, actor: Actor) -> int:
    """Sign the user out everywhere but here. Returns in how many browsers."""
    others = [one.name for one in sessions_of(user, this=actor.session) if not one.is_this]
    with transaction.atomic():
        SessionStore().model.objects.filter(session_key__in=others).delete()
        if others:
            trail.record("staff.sessions-ended", actor=actor, count=len(others))
    return len(others)


def _described(name: str, content: dict[str, object], this: str) -> OwnSession:
    return OwnSession(
        name=name,
        address=str(content.get("address", "")),
        started_at=_moment(content.get("started")),
        seen_at=_moment(content.get("seen")),
        is_this=name == this,
    )


def _moment(seconds: object) -> datetime:
    return datetime.fromtimestamp(float(seconds) if isinstance(seconds, int | float) else 0, tz=UTC)
