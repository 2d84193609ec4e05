"""The accounting as files to hand out: PDF for printing, CSV for spreadsheets; the page is the accessible form."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Final
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from reportlab.lib.units import mm
from reportlab.platypus import Spacer

from portal.records.accounting import Line
from portal.records.models import Patient
from portal.records.pdf import SMALL, TITLE, document, paragraph, table

_STARTS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def heads() -> list[str]:
    """The columns, in the language that is active."""
    return [
        _("Date"),
        _("Who got it"),
        _("Address"),
        _("What"),
        _("Why"),
        _("What was opened"),
        _("Kind"),
        _("Sent by"),
    ]


def cells(line: Line, zone: ZoneInfo) -> list[str]:
    """One line, column by column."""
    # With the month's name: 4/11 is in April for one reader and in November for another.
    day = formats.date_format(line.at.astimezone(zone), "DATE_FORMAT")
    who = f"{line.recipient} ({line.role})"
    return [day, who, line.address, line.what, line.purpose, line.released, line.label, line.by]


def accounting_csv(lines: Sequence[Line], zone: ZoneInfo) -> bytes:
    """RFC 4180, with a byte order mark so that spreadsheets read it as UTF-8; days as they sort (ISO 8601)."""
    file = StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(heads())
    for line in lines:
        day = line.at.astimezone(zone).date().isoformat()
        writer.writerow([inert(cell) for cell in (day, *cells(line, zone)[1:])])
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def inert(cell: str) -> str:
    """The text so that no spreadsheet takes it for a formula: a name may begin with "=". (CWE-1236)"""
    return f"'{cell}" if cell.startswith(_STARTS_A_FORMULA) else cell


def accounting_pdf(patient: Patient, lines: Sequence[Line], zone: ZoneInfo) -> bytes:
    """For printing; the title in the file's properties names nobody."""
    title = _("Who got your dental images")
    widths_mm = (24, 34, 34, 42, 26, 28, 29, 22)
    story = [
        paragraph(title, TITLE),
        paragraph(f"{patient.name} · {patient.practice.name}, {patient.practice.phone}", SMALL),
        paragraph(_("The last six years. “Exempt” means the law does not ask us to list it; we do."), SMALL),
        Spacer(1, 5 * mm),
        table(heads(), [cells(line, zone) for line in lines], widths_mm)
        if lines
        else paragraph(_("Nobody got any images in this time.")),
    ]
    return document(story, title=title, language=get_language() or "en", is_wide=True)
