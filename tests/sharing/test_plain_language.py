"""Pages, texts and letters for patients: read in sixth grade or earlier, and no word of them left out of Spanish."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import translation

from portal.practice.models import Practice
from sharing import messages
from sharing.letter import print_letter
from sharing.letter_words import words_of
from sharing.tokens import PLACEHOLDER, link_of
from tests.cast import actor_of
from tests.sharing.conftest import make_share
from tests.sharing.plain_language import (
    ROOT,
    bare_words,
    grade,
    syllables,
    words_of_module,
    words_of_template,
)
from tests.sharing.test_spanish import _entries

GRADE_MAX = 6.0
SENTENCE_WORDS_MAX = 20
# Fewer words than this have no grade of their own: they are read with the page they are part of.
WORDS_MIN = 12

PAGES = sorted(
    [
        *ROOT.glob("templates/share/*.html"),
        ROOT / "templates" / "base_share.html",
        ROOT / "templates" / "error_share.html",
        ROOT / "templates" / "records" / "accounting_document.html",
        *(
            ROOT / "templates" / "viewer" / f"{name}.html"
            for name in ("recipient", "_floor", "_viewer", "_words")
        ),
    ]
)
# The desk's own: they speak English.
OF_THE_DESK = {"status.py"}
MODULES = sorted(
    path
    for path in [
        *ROOT.glob("sharing/*.py"),
        *ROOT.glob("sharing/views/*.py"),
        ROOT / "portal" / "records" / "accounting.py",
        ROOT / "portal" / "records" / "accounting_files.py",
    ]
    if path.name not in OF_THE_DESK
)
PRACTICE = Practice(name="Smile Dental", phone="+1 555 010 0199", time_zone="America/New_York")


def check(text: str) -> None:
    if len(text.split()) >= WORDS_MIN:
        assert grade(text) <= GRADE_MAX, f"grade {grade(text):.1f}: {text}"


def test_the_measure_itself():
    assert grade("The cat sat on the mat.") < 1
    hard = "The practice's authorization for electronic disclosure necessitates additional verification procedures."
    assert grade(hard) > 15
    known = {
        "cat": 1,
        "scan": 1,
        "birth": 1,
        "office": 2,
        "dental": 2,
        "picture": 2,
        "telephone": 3,
        "ended": 2,
        "sent": 1,
    }
    assert {word: syllables(word) for word in known} == known


@pytest.mark.parametrize("template", PAGES, ids=lambda path: path.name)
def test_every_page_is_read_in_sixth_grade(template):
    check(". ".join(words_of_template(template)))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_every_sentence_of_the_code_is_read_in_sixth_grade(module):
    texts = [text for texts in words_of_module(module) for text in texts]
    check("\n".join(texts))
    for text in texts:
        assert max(len(part.split()) for part in text.replace("?", ".").split(".")) <= SENTENCE_WORDS_MAX, (
            text
        )


def test_every_message_is_read_in_sixth_grade():
    link, ends = link_of(PLACEHOLDER), datetime(2026, 12, 24, tzinfo=UTC)
    named = {"link": link, "expires_at": ends, "time_zone": PRACTICE.time_zone, "language": "en"}
    for text in (
        messages.link_text(PRACTICE, **named),
        messages.email_link(PRACTICE, **named),
        messages.code_text(PRACTICE, language="en", code="482911"),
        messages.email_code(PRACTICE, language="en", code="482911"),
        messages.notice_text(PRACTICE, language="en"),
        messages.call_words(PRACTICE, language="en", key="7"),
        messages.code_words(PRACTICE, language="en", code="482911"),
        messages.no_code_words(language="en"),
        messages.email_notice(PRACTICE, language="en"),
    ):
        check(text.replace(link, "this link"))


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_letter_and_its_slip(pat, dana, sent, language):
    letter = print_letter(make_share(pat, dana, channel="letter", address=""), actor=actor_of(dana))
    with translation.override(language):
        words = words_of(letter)
    sheet = [words.title, words.greeting, *words.opening, *words.steps, words.typed, *words.closing]
    assert all(sheet)
    if language == "en":
        check("\n".join(sheet))
        check("\n".join([words.slip_title, *words.slip_lines]))
    else:
        assert "fecha de nacimiento" in " ".join(words.steps)


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_notice_is_one_segment(language):
    assert messages.segments(messages.notice_text(PRACTICE, language=language)) == (1, "GSM-7")


# --- nothing is left out -------------------------------------------------------------------------------------------


def _known() -> set[str]:
    return {entry[name] for entry in _entries() for name in ("msgid", "msgid_plural") if name in entry}


@pytest.mark.parametrize("template", PAGES, ids=lambda path: path.name)
def test_no_word_of_a_page_is_left_out_of_the_catalogue(template):
    assert set(words_of_template(template)) - _known() == set()


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_no_word_of_the_code_is_left_out_of_the_catalogue(module):
    assert {text for texts in words_of_module(module) for text in texts} - _known() == set()


# Each language is named in itself; the staff's way back is not for recipients.
AS_THEY_STAND = {"landing.html": {"English", "Espa", "ol"}, "_viewer.html": {"Back", "to", "the", "patient"}}


@pytest.mark.parametrize("template", PAGES, ids=lambda path: path.name)
def test_no_word_of_a_page_goes_past_the_catalogue(template):
    assert set(bare_words(template)) - AS_THEY_STAND.get(template.name, set()) == set()
