"""The warning on the desk's pages about agreements that end or are missing, for those who can act on it."""

from __future__ import annotations

from uuid import UUID

from django import template

from portal.practice import adapters
from portal.practice.agreements import associates_of, has_agreement, standing_of

register = template.Library()


@register.simple_tag
def agreement_warnings(practice: UUID) -> list[str]:
    """A sentence for each vendor in use whose agreement ends within 60 days or isn't in force."""
    used = adapters.in_use()
    if not used:
        return []
    locked = [name for name in used if not has_agreement(practice, name)]
    ending = [
        f"The agreement with {one.name} ends in {standing.days_left} days."
        for one in associates_of(practice).filter(adapter__in=used)
        if (standing := standing_of(one)).state == "ends-soon"
    ]
    return [*map(adapters.without_agreement, locked), *ending]
