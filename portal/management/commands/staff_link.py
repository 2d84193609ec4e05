"""`manage.py staff_link E-MAIL`: a link with which an owner who is the only one chooses another password.

Whoever may run commands on the server could do worse; the trail says that it was done. The second factor stays.
"""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from portal.accounts.known_browsers import forget_browsers
from portal.accounts.models import Role
from portal.accounts.sessions import end_sessions_of
from portal.audit import trail
from portal.audit.actor import Actor
from portal.practice.invitations import make_invitation
from portal.practice.models import Membership


class Command(BaseCommand):
    help = "Make a link with which the owner of a practice chooses another password. Their app is still asked for."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email", help="the owner's e-mail address")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        owners = Membership.objects.select_related("user").filter(role=Role.OWNER, is_active=True)
        member = owners.filter(user__email=options["email"].strip().lower()).first()
        if member is None:
            raise CommandError(
                "No owner has this e-mail address. Others ask their practice's owner for a link."
            )
        actor = Actor(kind="system", practice=member.practice_id, method="command")
        user = member.user
        user.set_unusable_password()
        user.save(update_fields=["password"])
        end_sessions_of(user.pk)
        forget_browsers(user)
        trail.record("staff.password-reset", actor=actor, subject=str(user.pk), private={"name": user.name})
        self.stdout.write(make_invitation(member, actor=actor))
        self.stdout.write("Works for three days, once. Open it in the owner's browser.")
