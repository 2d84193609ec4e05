"""`manage.py verify_audit`: walk every practice's chain and name the first bad entry."""

from __future__ import annotations

import argparse
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.audit.verify import Verdict, verify, verify_all


class Command(BaseCommand):
    help = (
        "Verify the audit trail. Needs no key. Exits with 1 and names the first bad entry if it was changed."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--practice", type=uuid.UUID, help="only this practice's chain")
        parser.add_argument(
            "--anchor", metavar="N:HASH", type=_anchor, help="an entry noted earlier, elsewhere"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        practice, anchor = options["practice"], options["anchor"]
        if anchor and not practice:
            raise CommandError("An anchor belongs to one chain: name it with --practice.")
        verdicts = [verify(practice, anchor)] if practice else list(verify_all())
        for verdict in verdicts:
            self.stdout.write(_line(verdict))
        if any(verdict.finding for verdict in verdicts):
            raise CommandError(
                "The trail was changed. Keep this database as it is and call your privacy officer."
            )


def _anchor(text: str) -> tuple[int, bytes]:
    n, _, digest = text.partition(":")
    try:
        return int(n), bytes.fromhex(digest)
    except ValueError:
        raise argparse.ArgumentTypeError("write an anchor as N:HASH, as verify_audit prints it") from None


def _line(verdict: Verdict) -> str:
    if verdict.finding:
        return f"{verdict.practice}  BAD at entry {verdict.finding.n}: {verdict.finding.sentence}"
    return f"{verdict.practice}  ok  {verdict.entries} entries  anchor {verdict.entries}:{verdict.head.hex()}"
