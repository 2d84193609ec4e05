"""What the gate answers: a grant, or one of two endings."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils.translation import gettext_noop as _

from portal.audit.actor import Actor
from portal.errors import Gone, SignInRequired
from portal.records.models import Study


class SessionOver(SignInRequired):
    """No session, or one that has idled out, ended or was replaced."""

    title = _("Your session has ended")
    sentence = _("Your session has ended. Please open the link in your message again.")


class ShareEnded(Gone):
    """The share was revoked, has expired or locked itself while its recipient was there."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What this request may open. `series` None means every series of the study."""

    door: Literal["recipient", "staff"]
    practice: uuid.UUID
    study: Study
    series: frozenset[uuid.UUID] | None
    actor: Actor
    session_id: uuid.UUID | None
    share_id: uuid.UUID | None
    disclosure_id: uuid.UUID | None
    allows_download: bool
    code_age_s: float | None
    expires_at: datetime | None
    asked_at: datetime | None = None
    """The database's time when the gate asked."""
    idle_until: datetime | None = None
    """When the session idles out unless it is used, as the gate has just read it."""

    def allows(self, series_id: uuid.UUID) -> bool:
        """Whether this series of the study is part of what was granted."""
        return self.series is None or series_id in self.series
