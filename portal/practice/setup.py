"""The first deed of an installation: its practice and its owner, in one transaction with the link's end."""

from __future__ import annotations

from django.db import transaction

from portal.accounts.models import Role, User
from portal.accounts.setup_link import use_owner_link
from portal.audit.actor import Actor
from portal.practice.open_practice import add_staff, open_practice


@transaction.atomic
def set_up(
    token: str,
    *,
    practice_name: str,
    practice_phone: str,
    time_zone: str,
    name: str,
    email: str,
    password: str,
) -> User:
    """Make the practice and its owner, who still has to set up their second factor.

    Raises `Gone` when the link isn't the live one; then nothing was made.
    """
    use_owner_link(token)
    practice = open_practice(name=practice_name, phone=practice_phone, time_zone=time_zone)
    owner = User.objects.create_user(email, password, name=name)
    actor = Actor(kind="system", practice=practice.pk, method="owner-link")
    add_staff(practice, owner, Role.OWNER, actor=actor)
    return owner
