"""`manage.py verify_audit`: walk every practice's chain and name the first bad entry."""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.audit.anchors import from_notes
from portal.audit.models import AuditEntry, Checkpoint
from portal.audit.signed_note import VerifierKey, is_signed_in_the_name_of
from portal.audit.verify import Anchors, Verdict, verify_all
from portal.errors import InvalidInput


class Command(BaseCommand):
    help = (
        "Verify the audit trail, and hold it to its checkpoints. Exits with 1 and names the first bad entry."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--practice", type=uuid.UUID, help="only this practice's chain")
        parser.add_argument(
            "--anchor",
            action="append",
            default=[],
            metavar="FILE",
            help="a checkpoint kept elsewhere, a folder of them, or N:HASH with --practice; may be repeated",
        )
        parser.add_argument(
            "--key",
            action="append",
            default=[],
            help="a verifier key beside the installation's own, or a file that holds it: that of the machine before a"
            " restore, say; may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        practice = options["practice"]
        try:
            anchors = self._anchors(options["anchor"], practice, _verifiers(options["key"]))
        except InvalidInput as refusal:
            raise CommandError(refusal.sentence) from None
        verdicts = []
        for verdict in verify_all([practice] if practice else None, anchors):
            verdicts.append(verdict)
            self.stdout.write(_line(verdict, len(anchors.get(verdict.practice, ()))))
            self._tell_of_restores(verdict)
        if any(verdict.finding for verdict in verdicts):
            raise CommandError(
                "The trail was changed. Keep this database as it is and call your privacy officer."
            )

    def _anchors(self, given: list[str], practice: uuid.UUID | None, keys: list[VerifierKey]) -> Anchors:
        typed = [anchor for anchor in given if not Path(anchor).exists()]
        if typed and not practice:
            raise InvalidInput(
                f"{typed[0]} is no file; an anchor as N:HASH belongs to one chain, named by --practice."
            )
        notes = [*_notes(Path(anchor) for anchor in given if anchor not in typed)]
        if notes and not keys:
            raise InvalidInput("There is no checkpoint key here. Name the verifier key with --key.")
        points = from_notes([*self._kept(keys), *notes], *keys) if keys else {}
        for anchor in typed:
            n, digest = _typed(anchor)
            assert practice  # noqa: S101 (asked above)
            points.setdefault(practice, {})[n] = digest
        return points

    def _kept(self, keys: list[VerifierKey]) -> list[str]:
        """The database's own notes: they prove nothing when they are gone, and all when they are there and signed."""
        notes = list(Checkpoint.objects.order_by("sequence").values_list("note", flat=True))
        ours = [note for note in notes if any(is_signed_in_the_name_of(note, key) for key in keys)]
        if keys and len(ours) < len(notes):
            self.stdout.write(
                f"{len(notes) - len(ours)} checkpoints in the database are of another key, and are not used. If they"
                " are of the machine before a restore, name its verifier key with --key."
            )
        return ours

    def _tell_of_restores(self, verdict: Verdict) -> None:
        if verdict.finding is None:
            return
        restores = AuditEntry.objects.filter(practice_id=verdict.practice, code="backup.restored")
        for n in restores.filter(n__lte=verdict.finding.n).order_by("n").values_list("n", flat=True):
            self.stdout.write(
                f"    Entry {n} is a restore: what the machine before it wrote after that backup is not in this chain."
            )


def _notes(paths: Iterator[Path]) -> Iterator[str]:
    for path in paths:
        try:
            files = sorted(path.glob("*.checkpoint")) if path.is_dir() else [path]
            texts = [file.read_text() for file in files]
        except OSError:
            texts = []
        if not texts:
            # Holding a trail to nothing and calling it sound would be the worst answer.
            raise InvalidInput(
                f"No checkpoint can be read in {path}. Look whether it is there and yours to read."
            )
        yield from texts


def _verifiers(given: list[str]) -> list[VerifierKey]:
    texts = [Path(key).read_text() if Path(key).is_file() else key for key in given]
    try:
        texts.append(settings.CHECKPOINT_KEY_PATH.with_suffix(".pub").read_text())
    except OSError:
        # There is none here, or it is with the other user who makes the checkpoints: then the printed one is given.
        pass
    return [VerifierKey.parse(text) for text in texts]


def _typed(text: str) -> tuple[int, bytes]:
    n, _, digest = text.partition(":")
    try:
        return int(n), bytes.fromhex(digest)
    except ValueError:
        raise InvalidInput("Write an anchor as N:HASH, as verify_audit prints it, or name a file.") from None


def _line(verdict: Verdict, points: int) -> str:
    if verdict.finding:
        return f"{verdict.practice}  BAD at {verdict.finding.where}: {verdict.finding.sentence}"
    held = f"  held to {points} noted points" if points else ""
    return f"{verdict.practice}  ok  {verdict.entries} entries  anchor {verdict.entries}:{verdict.head.hex()}{held}"
