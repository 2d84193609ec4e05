"""`manage.py export_audit`: a practice's trail as a file: CSV, FHIR AuditEvents, or DICOM audit messages."""

from __future__ import annotations

import argparse
import os
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.audit import trail
from portal.audit.actor import system
from portal.audit.exports import dicom_xml, fhir, table
from portal.audit.exports.told import Told, tell
from portal.audit.models import AuditHead
from portal.audit.search import Wanted, find


class Command(BaseCommand):
    help = "Write a practice's trail to a file that does not exist yet. The export stands in the trail."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--practice", type=uuid.UUID, required=True)
        parser.add_argument("--format", choices=["csv", "fhir", "dicom"], required=True)
        parser.add_argument("--since", type=_day, help="first day, YYYY-MM-DD, in UTC")
        parser.add_argument("--until", type=_day, help="last day, in UTC")
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        practice, until = options["practice"], options["until"]
        if not AuditHead.objects.filter(practice_id=practice).exists():
            raise CommandError("There is no practice of this id.")
        end = until + timedelta(days=1) if until else None
        found = find(Wanted(practice, since=options["since"], until=end)).order_by("n")
        count = found.count()
        path, kind = options["file"], options["format"]
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{path} can't be written: {error.strerror}.") from None
        # Before the first byte: no entry, no export.
        trail.record_alone("audit.exported", actor=system(practice), format=kind, entries=count)
        with open(fd, "wb") as file:
            file.writelines(_lines(kind, tell(found[:count].iterator(chunk_size=500))))
        self.stdout.write(f"{count} entries written to {path}, with names in clear: keep it like a chart.")


def _lines(kind: str, told: Iterable[Told]) -> Iterator[bytes]:
    origin = settings.PUBLIC_BASE_URL
    if kind == "csv":
        return table.lines(told)
    if kind == "fhir":
        return fhir.lines(told, origin=origin)
    return (dicom_xml.message(one, origin=origin).replace(b"\n", b" ") + b"\n" for one in told)


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise argparse.ArgumentTypeError("write a day as YYYY-MM-DD") from None
