"""What goes to a store that isn't the practice's own goes under every practice's agreement with it, or not at all."""

from __future__ import annotations

import time

from django.conf import settings

from portal.backups.target import Target
from portal.practice.agreements import has_agreement, require_agreement
from portal.practice.models import Practice

ASK_EVERY_S = 60


def vendor_of(target: Target) -> str:
    """The adapter under whose agreement a target is written to; empty for the practice's own."""
    vendor: str = settings.BACKUP_VENDOR if target.root else settings.BACKUP_BUCKET_VENDOR
    return vendor


def require_agreements(vendor: str) -> None:
    """Raise `AccessDenied` while an agreement is missing (45 CFR 164.308(b))."""
    if vendor:
        for practice in Practice.objects.values_list("pk", flat=True):
            require_agreement(practice, vendor)


def may_leave(target: Target) -> bool:
    """Whether every agreement is there."""
    vendor, practices = vendor_of(target), Practice.objects.values_list("pk", flat=True)
    return not vendor or all(has_agreement(practice, vendor) for practice in practices)


class Permission:
    """Asked at the beginning and, of a copy that takes hours, again each minute: an agreement may end meanwhile."""

    def __init__(self, target: Target) -> None:
        self._vendor = vendor_of(target)
        require_agreements(self._vendor)
        self._asked_at = time.monotonic()

    def ask(self) -> None:
        """Raise `AccessDenied` once an agreement has ended."""
        if time.monotonic() - self._asked_at >= ASK_EVERY_S:
            require_agreements(self._vendor)
            self._asked_at = time.monotonic()
