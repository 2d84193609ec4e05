"""The letter as a PDF: the link on the first sheet, the code on the second, so that they part at the printer."""

from __future__ import annotations

from django.utils import translation
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, HRFlowable, PageBreak, Spacer

from portal.records.pdf import HEADING, SECRET, SMALL, TITLE, QrCode, document, paragraph
from sharing.letter import Letter
from sharing.letter_words import Words, words_of


def letter_pdf(letter: Letter) -> bytes:
    """The two sheets, in the recipient's language."""
    with translation.override(letter.share.language):
        words = words_of(letter)
        return document(
            [*_sheet(letter, words), PageBreak(), *_slip(letter, words)],
            title=words.title,
            language=letter.share.language,
        )


def _sheet(letter: Letter, words: Words) -> list[Flowable]:
    steps = [paragraph(f"{number}. {step}") for number, step in enumerate(words.steps, 1)]
    return [
        paragraph(words.practice, HEADING),
        paragraph(words.phone, SMALL),
        Spacer(1, 14 * mm),
        paragraph(words.date, SMALL),
        paragraph(words.title, TITLE),
        Spacer(1, 4 * mm),
        paragraph(words.greeting),
        *(paragraph(line) for line in words.opening),
        Spacer(1, 5 * mm),
        QrCode(letter.link),
        Spacer(1, 3 * mm),
        *steps,
        Spacer(1, 5 * mm),
        paragraph(words.typed, SMALL),
        paragraph(letter.address, HEADING),
        paragraph(letter.key, SECRET),
        Spacer(1, 5 * mm),
        *(paragraph(line, SMALL) for line in words.closing),
    ]


def _slip(letter: Letter, words: Words) -> list[Flowable]:
    return [
        paragraph(words.practice, HEADING),
        Spacer(1, 10 * mm),
        paragraph(words.slip_title, TITLE),
        Spacer(1, 6 * mm),
        paragraph(letter.code, SECRET),
        Spacer(1, 6 * mm),
        *(paragraph(line) for line in words.slip_lines),
        HRFlowable(width="100%"),
    ]
