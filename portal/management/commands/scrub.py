"""`manage.py scrub`: hold every stored object against its hash."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError

from portal.backups.models import Run
from portal.backups.scrub import scrub
from portal.errors import ScanpassError


class Command(BaseCommand):
    help = (
        "Check every stored image against the hash it was stored with, and name the studies that are damaged."
    )

    def handle(self, *args: object, **options: object) -> None:
        try:
            run = scrub()
        except ScanpassError as error:
            raise CommandError(error.sentence) from None
        self.stdout.write(run.sentence)
        for study in run.facts["hit"]:
            self.stdout.write(f"damaged: study {study}")
        if run.outcome != Run.Outcome.OK:
            raise CommandError("Damage was found: see above.")
