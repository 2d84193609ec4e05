"""`manage.py drill`: restore the newest backup into a scratch place, open samples, and say how long it took."""

from __future__ import annotations

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.backups.drill import drill
from portal.backups.models import Run
from portal.errors import ScanpassError
from portal.management.commands.backup import target_of


class Command(BaseCommand):
    help = "Try the newest backup: restore it into a scratch place, open samples, verify the trail, measure."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from", dest="source", metavar="PLACE", help="a folder or s3://…; default: as the settings say"
        )
        parser.add_argument(
            "--scratch", type=Path, metavar="DIR", help="where there is room; default the state folder"
        )

    def handle(self, *args: object, **options: object) -> None:
        scratch = Path(str(options["scratch"])) if options["scratch"] else None
        try:
            run = drill(target_of(options["source"]), scratch=scratch)
        except ScanpassError as error:
            raise CommandError(error.sentence) from None
        self.stdout.write(run.sentence)
        facts = run.facts
        self.stdout.write(
            f"RPO: the data was {facts['rpo_s']} s old. RTO: {facts['rto_s']:.1f} s for {facts['length_bytes']} bytes"
            + (f"; {facts['rto_per_100gb_s'] / 60:.0f} min for 100 GB." if facts["rto_per_100gb_s"] else ".")
        )
        for study in facts["hit"]:
            self.stdout.write(f"damaged: study {study}")
        if run.outcome != Run.Outcome.OK:
            raise CommandError("The drill found damage: see above.")
