"""`manage.py checkpoint`: sign where the audit trail stands now and send it to the places; or show the verifier key."""

from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.audit import checkpoint, delivery
from portal.audit.checkpoint_key import signing_key, verifier_key
from portal.audit.models import CheckpointPlace


class Command(BaseCommand):
    help = (
        "Sign where the audit trail stands and send it to the configured places. For a timer of its own user."
    )

    # Whoever signs has no business with keys, backups or agreements, and may not see them.
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--if-due", action="store_true", help="do nothing when the last one is recent")
        parser.add_argument(
            "--key", action="store_true", help="only print the verifier key, to keep on paper"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            signing_key(settings.CHECKPOINT_KEY_PATH, name=checkpoint.origin())
        except PermissionError:
            raise CommandError(
                "The checkpoint key belongs to another user. Run this command as that user."
            ) from None
        if options["key"]:
            self.stdout.write(str(verifier_key(settings.CHECKPOINT_KEY_PATH)))
            return
        if not options["if_due"] or checkpoint.is_due():
            made = checkpoint.make()
            self.stdout.write(f"{made}: {made.entries} entries" if made else "Another process was first.")
        delivery.deliver()
        self._tell_of_places()

    def _tell_of_places(self) -> None:
        places = list(CheckpointPlace.objects.order_by("name"))
        for place in places:
            state = place.failure or "up to date"
            self.stdout.write(f"{place.name}: given up to {place.sequence}, {state}")
        if any(place.failure for place in places):
            raise CommandError("Not every place has the newest checkpoint; it is tried again.")
