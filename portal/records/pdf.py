"""Printed paper: one look for every document, letters and lists.

The PDF is for printing; the page of the same name is the accessible form, for a PDF made here carries no tags.
Text comes from people, so all of it is escaped, and a letter the font lacks loses its accent before it is lost.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final
from xml.sax.saxutils import escape

import segno
from django.conf import settings
from reportlab.lib import colors
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4, landscape, letter
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table, TableStyle

# Where printers hold 8½ × 11 inches; elsewhere it is A4.
_LETTER_REGIONS: Final = frozenset({"US", "CA", "PR", "MX"})
_INK: Final = colors.HexColor("#16202a")
_LINE: Final = colors.HexColor("#b8c2cc")

BODY: Final = ParagraphStyle("body", fontName="Helvetica", fontSize=11.5, leading=16, textColor=_INK)
SMALL: Final = ParagraphStyle("small", parent=BODY, fontSize=9, leading=12)
TITLE: Final = ParagraphStyle("title", parent=BODY, fontName="Helvetica-Bold", fontSize=20, leading=25)
HEADING: Final = ParagraphStyle("heading", parent=BODY, fontName="Helvetica-Bold", fontSize=13, leading=18)
CELL: Final = ParagraphStyle("cell", parent=SMALL, fontSize=8, leading=10, alignment=TA_LEFT)
SECRET: Final = ParagraphStyle("secret", parent=BODY, fontName="Courier-Bold", fontSize=20, leading=26)


def document(story: Sequence[Flowable], *, title: str, language: str, is_wide: bool = False) -> bytes:
    """The bytes of a PDF. `title` stands in its metadata, so it names nobody."""
    paper = letter if settings.PHONE_REGION in _LETTER_REGIONS else A4
    file = BytesIO()
    pages = SimpleDocTemplate(
        file,
        pagesize=landscape(paper) if is_wide else paper,
        margin=20 * mm,
        leftMargin=20 * mm,
        rightMargin=20 * mm,
        topMargin=18 * mm,
        bottomMargin=18 * mm,
        title=title,
        author="Scanpass",
        lang=language,
    )
    pages.build(list(story), onFirstPage=_number, onLaterPages=_number)
    return file.getvalue()


def paragraph(text: Any, style: ParagraphStyle = BODY) -> Paragraph:
    """Text of anybody's, as it is: never markup."""
    return Paragraph(escape(printable(str(text))), style)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]], widths_mm: Sequence[float]) -> Table:
    """A list with its head repeated on every page."""
    cells = [[paragraph(text, CELL) for text in row] for row in (head, *rows)]
    grid = Table(cells, colWidths=[width * mm for width in widths_mm], repeatRows=1)
    grid.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
                ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#eef2f5")),
            ]
        )
    )
    return grid


def printable(text: str) -> str:
    """The text in the letters of the printer's own fonts (Windows-1252)."""
    return "".join(letter if _has(letter) else _plain(letter) for letter in text)


def can_print(text: str) -> bool:
    """Whether the printer's own fonts have every letter of a text: of Han, Hebrew or Arabic they have none."""
    return "?" not in printable(text.replace("?", ""))


def _has(letter: str) -> bool:
    try:
        letter.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return letter >= " "


def _plain(letter: str) -> str:
    if unicodedata.combining(letter) or letter in "\r\n\t":
        return " " if letter in "\r\n\t" else ""
    return "".join(part for part in unicodedata.normalize("NFKD", letter) if _has(part)) or "?"


class QrCode(Flowable):
    """A QR code (ISO/IEC 18004) of black squares, `size_mm` wide with its quiet zone."""

    def __init__(self, text: str, size_mm: float = 48) -> None:
        super().__init__()
        self.rows = [bytes(row) for row in segno.make(text, error="m", micro=False).matrix]
        self.width = self.height = size_mm * mm

    def draw(self) -> None:
        module = self.width / (len(self.rows) + 8)
        self.canv.setFillColor(colors.black)
        for row, line in enumerate(self.rows):
            for column, is_dark in enumerate(line):
                if is_dark:
                    top = self.height - (row + 5) * module
                    self.canv.rect((column + 4) * module, top, module, module, stroke=0, fill=1)


def _number(canvas: Any, pages: Any) -> None:
    canvas.setFont("Helvetica", 8)
    canvas.drawRightString(pages.pagesize[0] - 20 * mm, 10 * mm, str(canvas.getPageNumber()))
