"""A vendor that keeps the keys: without its agreement nothing new is entrusted to it, and what is stored opens.

Locking what its keys already wrap would take the images from patients and dentists in the middle of their care. So the
lock is before the data: no new patient, image or key. Each day without an agreement stands in the trail.

Source: 45 CFR 164.308(b)(1), 164.502(e)(2); the availability it must not cost: 164.306(a)(1), 164.524.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Final

from portal.audit import trail
from portal.audit.actor import Actor, system
from portal.audit.events import FAILED, REFUSED
from portal.audit.models import AuditEntry
from portal.clock import now
from portal.errors import AccessDenied
from portal.practice import adapters
from portal.practice.agreements import has_agreement
from portal.practice.models import Practice

REFUSAL: Final = "agreement.missing"
EACH_DAY: Final = "agreement.keys-without"


def require_for_keys(practice: uuid.UUID, *, deed: str, actor: Actor) -> None:
    """Raise `AccessDenied`, and write it down, where something new would go under a vendor's keys without an agreement.

    Call it before the transaction of the act. `deed` is a word for the trail.
    """
    vendor = adapters.key_vendor()
    if not vendor or has_agreement(practice, vendor):
        return
    trail.record_alone(REFUSAL, actor=actor, outcome=REFUSED, adapter=vendor, deed=deed)
    raise AccessDenied(
        f"There is no business associate agreement in force for {adapters.in_words(vendor)}, so nothing new is put"
        " under its keys. What is stored still opens. Ask the practice owner to add the agreement."
    )


def tell_each_day() -> int:
    """Write of each practice that uses such keys without an agreement, once in 24 hours; returns how many."""
    vendor = adapters.key_vendor()
    practices = Practice.objects.values_list("pk", flat=True) if vendor else []
    return sum(_tell(practice, vendor) for practice in practices if not has_agreement(practice, vendor))


def _tell(practice: uuid.UUID, vendor: str) -> int:
    since = now() - timedelta(days=1)
    if AuditEntry.objects.filter(practice_id=practice, code=EACH_DAY, at__gt=since).exists():
        return 0
    trail.record_alone(EACH_DAY, actor=system(practice), outcome=FAILED, adapter=vendor)
    return 1
