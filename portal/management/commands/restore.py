"""`manage.py restore --from DIR`: bring an installation back into an empty state folder."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.audit import kept
from portal.audit.events import REFUSED
from portal.backups.address import target_at
from portal.backups.proof import prove
from portal.backups.restore import Restored, restore
from portal.errors import ScanpassError
from portal.serving import claims
from portal.serving.environment import add_options
from portal.serving.refusal import CannotStart


class Command(BaseCommand):
    help = (
        "Restore a backup into an empty state folder (and an empty database). Put the key file in its place first."
        " Afterwards every share is locked until the desk opens it."
    )
    # They look at a database that isn't there yet.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        add_options(parser)
        parser.add_argument(
            "--from", dest="source", required=True, metavar="PLACE", help="the backup folder, or s3://…"
        )
        parser.add_argument("--snapshot", help="an older backup, by its name; default the newest")
        parser.add_argument(
            "--epoch", help="older key slots, by name: brings back what was shredded or revoked since"
        )
        parser.add_argument(
            "--prove", action="store_true", help="open samples, verify the trail, answer in JSON"
        )

    def handle(self, *args: object, **options: object) -> None:
        with ExitStack() as held:
            try:
                held.enter_context(claims.the_state(Path(settings.STATE_DIR)))
                done = restore(
                    target_at(str(options["source"])),
                    snapshot=_text(options["snapshot"]),
                    epoch_name=_text(options["epoch"]),
                    say=lambda line: self.stderr.write(line),
                )
            except (ScanpassError, CannotStart) as error:
                kept.note("restore.refused", outcome=REFUSED, reason=type(error).__name__)
                if isinstance(error, CannotStart):
                    raise
                raise CommandError(error.sentence) from None
            _mark_owner(done)
            if options["prove"]:
                self.stdout.write(json.dumps({**asdict(done), "proof": asdict(prove())}))
                sys.exit(1 if done.hit else 0)
        self._report(done)

    def _report(self, done: Restored) -> None:
        say = self.stdout.write
        say(
            f"Restored the backup {done.snapshot} of {done.made_at}: {done.packs} packs, {done.seconds:.0f} s."
        )
        say(f"Keys and revocations are those of {done.epoch_at}. {done.shredded} studies stay destroyed.")
        say(f"{done.closed['shares_locked']} shares are locked until the desk opens each of them.")
        say(f"{done.closed['revoked_again']} were revoked after the backup and are revoked again.")
        say("The installation had these settings:")
        for name, value in sorted(done.config.items()):
            say(f"    {name}={value}")
        for study in done.hit:
            say(f"damaged: study {study}")
        if done.hit:
            raise CommandError(
                f"{len(done.hit)} studies lack images that this backup had lost; they are named above."
                " Everything else is back."
            )


def _text(option: object) -> str | None:
    return str(option) if option else None


def _mark_owner(done: Restored) -> None:
    """Sample data stays sample data: only `demo` starts on it."""
    if done.config.get("SCANPASS_DEMO") == "1":
        (Path(settings.STATE_DIR) / "started_by").write_text("demo")
