"""No vendor without an in-date business associate agreement (45 CFR 164.308(b), 164.314(a))."""

from __future__ import annotations

import uuid

from portal.clock import now
from portal.errors import AccessDenied
from portal.practice.models import Agreement


def has_agreement(practice: uuid.UUID, adapter: str) -> bool:
    """Whether an agreement for this adapter is signed and in force today."""
    today = now().date()
    return Agreement.objects.filter(
        associate__practice_id=practice,
        associate__adapter=adapter,
        signed_on__lte=today,
        starts_on__lte=today,
        ends_on__gte=today,
    ).exists()


def require_agreement(practice: uuid.UUID, adapter: str) -> None:
    """Raise `AccessDenied` unless the agreement is there: nothing leaves without one."""
    if not has_agreement(practice, adapter):
        raise AccessDenied(
            f"Nothing was sent: there is no business associate agreement in force for {adapter}. "
            "Ask the practice owner to add it."
        )
