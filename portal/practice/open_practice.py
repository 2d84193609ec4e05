"""Setting up a practice: its row, its key, its owner and the first entry of its trail, together."""

from __future__ import annotations

import uuid

from django.db import transaction

from portal.accounts.models import Role, User
from portal.audit import trail
from portal.audit.actor import Actor, system
from portal.clock import now
from portal.practice.models import Membership, Practice
from portal.sealed.keys import create_practice_key


@transaction.atomic
def open_practice(
    *, name: str, phone: str, language: str = "en", time_zone: str = "America/New_York"
) -> Practice:
    """Make a practice with its key, ready for staff."""
    practice = Practice(name=name, phone=phone, language=language, time_zone=time_zone, created_at=now())
    create_practice_key(practice.pk)
    practice.save(force_insert=True)
    trail.record("practice.created", actor=system(practice.pk))
    return practice


@transaction.atomic
def add_staff(practice: Practice, user: User, role: Role, *, actor: Actor) -> Membership:
    """Give a user a role in the practice."""
    membership = Membership.objects.create(id=uuid.uuid4(), practice=practice, user=user, role=role)
    trail.record(
        "staff.added", actor=actor, subject=str(user.pk), role=str(role), private={"name": user.name}
    )
    return membership
