"""`manage.py backup`: back up into a folder, or list what is there."""

from __future__ import annotations

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.backups.address import target_at
from portal.backups.models import Run
from portal.backups.snapshot import back_up
from portal.backups.target import Target
from portal.errors import ScanpassError


class Command(BaseCommand):
    help = (
        "Back up the database, the images that are new, and the key slots, encrypted, into a folder or a bucket."
        " Keep that on another disk or machine, and the two key files in a third place."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", metavar="PLACE", help="a folder or s3://…; default: as the settings say")
        parser.add_argument("--list", action="store_true", help="only list the backups there are")

    def handle(self, *args: object, **options: object) -> None:
        try:
            target = target_of(options["to"])
            if options["list"]:
                for name in target.snapshots():
                    self.stdout.write(name)
                return
            run = back_up(target)
        except ScanpassError as error:
            raise CommandError(error.sentence) from None
        self.stdout.write(f"{run.facts['snapshot']}  {run.sentence}")
        self.stdout.write(
            f"A restore needs this backup and one of two key files: {settings.KEYRING_PATH} (it opens the images too)"
            f" or {settings.BACKUP_KEYRING_PATH}. Keep copies of both where neither disk can take them along."
        )
        if run.outcome != Run.Outcome.OK:
            raise CommandError("Not everything could be backed up: see above.")


def target_of(given: object) -> Target:
    """The place on the command line, or that of the settings."""
    address = str(given or settings.BACKUP_TARGET)
    if not address:
        raise CommandError(
            "Name the backup folder: on the command line, or once and for all in SCANPASS_BACKUP_DIR"
            " (a bucket: SCANPASS_BACKUP_TARGET)."
        )
    return target_at(address)
