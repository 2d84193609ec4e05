"""No vendor without an in-date business associate agreement (45 CFR 164.308(b), 164.314(a))."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Literal

from django.db.models import Q, QuerySet

from portal.clock import now
from portal.errors import AccessDenied
from portal.practice.models import Agreement, BusinessAssociate
from portal.practice.terms import are_as_recorded

WARN_DAYS = (60, 30, 7)  # then, at 0, nothing leaves any more

State = Literal["in-force", "ends-soon", "not-begun", "ended", "changed", "none"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with one vendor: `days_left` counts today, and is None unless an agreement is in force."""

    state: State
    ends_on: date | None = None
    days_left: int | None = None

    @property
    def is_in_force(self) -> bool:
        return self.state in {"in-force", "ends-soon"}


def _in_force(today: date) -> Q:
    alive = Q(terminated_on=None) | Q(terminated_on__gt=today)
    return alive & Q(signed_on__lte=today, starts_on__lte=today, ends_on__gte=today)


def has_agreement(practice: uuid.UUID, adapter: str) -> bool:
    """Whether an agreement for this adapter is signed and in force today, by its sealed terms too."""
    said = Agreement.objects.filter(
        _in_force(now().date()), associate__practice_id=practice, associate__adapter=adapter
    )
    return any(map(are_as_recorded, said.select_related("associate").defer("document")))


def require_agreement(practice: uuid.UUID, adapter: str) -> None:
    """Raise `AccessDenied` unless the agreement is there: nothing leaves without one."""
    if not has_agreement(practice, adapter):
        raise AccessDenied(
            f"Nothing was sent: there is no business associate agreement in force for {adapter}. "
            "Ask the practice owner to add it."
        )


def standing_of(associate: BusinessAssociate) -> Standing:
    """The best of the vendor's agreements, as of today."""
    today = now().date()
    said = associate.agreements.filter(_in_force(today)).defer("document").order_by("-ends_on")
    valid = next(filter(are_as_recorded, said), None)
    if valid is None and said:
        return Standing("changed")
    if valid is not None:
        days = (valid.ends_on - today).days + 1
        return Standing("ends-soon" if days <= WARN_DAYS[0] else "in-force", valid.ends_on, days)
    if associate.agreements.filter(terminated_on=None, starts_on__gt=today).exists():
        return Standing("not-begun")
    last = associate.agreements.order_by("-ends_on").first()
    return (
        Standing("ended", min(last.ends_on, last.terminated_on or last.ends_on)) if last else Standing("none")
    )


def associates_of(practice: uuid.UUID) -> QuerySet[BusinessAssociate]:
    """The practice's vendors, by name."""
    return BusinessAssociate.objects.filter(practice_id=practice).order_by("name", "pk")
