"""Staff sessions in the database, found by a keyed hash: who reads the table can't take a session over.

Django keeps the session key itself as the row's key; this store keeps its HMAC instead. What is in a session
is a user id, a practice id and times: nothing of a patient, but what `portal.accounts.unsent` has sealed.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from datetime import timedelta
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession

from portal.clock import now
from portal.sealed.keys import installation_key


def session_name(session_key: str) -> str:
    """The name a session has in the database and in the trail; it doesn't open the session."""
    digest = hmac.new(installation_key("session", "staff"), session_key.encode(), hashlib.sha256)
    return digest.hexdigest()[:32]


class SessionStore(DatabaseStore):
    """Django's database sessions under hashed names, ending by the database's clock."""

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        if not self.session_key:
            return None
        try:
            return self.model.objects.get(session_key=session_name(self.session_key), expire_date__gt=now())
        except self.model.DoesNotExist:
            self._session_key = None
            return None

    def exists(self, session_key: str) -> bool:
        return self.model.objects.filter(session_key=session_name(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        return self.model(
            session_key=session_name(self._get_or_create_session_key()),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=now() + timedelta(seconds=self.get_expiry_age()),
        )

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            self.model.objects.filter(session_key=session_name(key)).delete()


def end_sessions_of(user: uuid.UUID) -> None:
    """End every session of a user, and every sign-in of theirs that waits for the second factor.

    A session's row names nobody, so all living ones are opened: there are as many as people at work.
    """
    store = SessionStore()
    for row in store.model.objects.filter(expire_date__gt=now()):
        content = store.decode(row.session_data)
        if str(user) in {content.get(SESSION_KEY), content.get("pending", {}).get("user")}:
            row.delete()


def end_all_sessions() -> int:
    """End every session of everybody. Returns how many there were."""
    return SessionStore().model.objects.all().delete()[0]


def sweep_expired() -> None:
    """Delete the sessions whose time is over; they open nothing any more, and needn't be kept."""
    SessionStore().model.objects.filter(expire_date__lt=now()).delete()
