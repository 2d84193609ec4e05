"""`manage.py backup`: back up into a folder, or list what is there."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.backups.models import Run
from portal.backups.snapshot import back_up
from portal.backups.target import Target
from portal.errors import ScanpassError


class Command(BaseCommand):
    help = (
        "Back up the database, the images that are new, and the key slots, encrypted, into a folder."
        " Keep that folder on another disk or machine, and the two key files in a third place."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", type=Path, metavar="DIR", help="default: SCANPASS_BACKUP_DIR")
        parser.add_argument("--list", action="store_true", help="only list the backups there are")

    def handle(self, *args: object, **options: object) -> None:
        target = target_of(options["to"])
        try:
            if options["list"]:
                for name in target.snapshots():
                    self.stdout.write(name)
                return
            run = back_up(target)
        except ScanpassError as error:
            raise CommandError(error.sentence) from None
        self.stdout.write(f"{run.facts['snapshot']}  {run.sentence}")
        self.stdout.write(
            f"A restore needs this folder and one of two key files: {settings.KEYRING_PATH} (it opens the images too)"
            f" or {settings.BACKUP_KEYRING_PATH}. Keep copies of both where neither disk can take them along."
        )
        if run.outcome != Run.Outcome.OK:
            raise CommandError("Not everything could be backed up: see above.")


def target_of(given: object) -> Target:
    """The folder on the command line, or that of the settings."""
    folder = str(given or settings.BACKUP_DIR)
    if not folder:
        raise CommandError(
            "Name the backup folder: on the command line, or once and for all in SCANPASS_BACKUP_DIR."
        )
    return Target(Path(folder).resolve())
