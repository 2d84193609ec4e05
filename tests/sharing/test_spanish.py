"""Spanish is complete, the compiled catalogue is the one in the repository, and texts stay one segment long."""

from __future__ import annotations

import ast
import gettext
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import translation

from portal import errors
from portal.env import languages_in
from portal.practice.models import Practice
from sharing import messages
from sharing.tokens import PLACEHOLDER, link_of

CATALOGUE = Path(__file__).resolve().parents[2] / "portal" / "locale" / "es" / "LC_MESSAGES" / "django.po"


def _entries() -> list[dict[str, str]]:
    found: list[dict[str, str]] = [{}]
    key = ""
    for line in CATALOGUE.read_text().splitlines():
        if not line:
            found.append({})
        elif match := re.match(r'(msg\w+(?:\[\d\])?) (".*")$', line):
            key = match[1]
            found[-1][key] = ast.literal_eval(match[2])
        elif line.startswith('"'):
            found[-1][key] += ast.literal_eval(line)
    return [entry for entry in found if entry.get("msgid")]


def test_every_entry_is_translated_and_compiled():
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    entries = _entries()
    assert len(entries) > 150
    for entry in entries:
        key = f"{entry['msgctxt']}\x04{entry['msgid']}" if "msgctxt" in entry else entry["msgid"]
        if "msgid_plural" in entry:
            for number, plural in ((1, 0), (2, 1)):
                words = compiled.ngettext(key, entry["msgid_plural"], number)
                assert words == entry[f"msgstr[{plural}]"] != ""
        else:
            assert compiled.gettext(key) == entry["msgstr"] != "", key


def test_every_entry_keeps_its_places():
    place = re.compile(r"%\(\w+\)s|\{\w+\}")
    for entry in _entries():
        for name, words in entry.items():
            if name.startswith("msgstr"):
                assert set(place.findall(words)) == set(place.findall(entry["msgid"])), entry["msgid"]


def test_every_word_of_the_recipients_pages_is_in_the_catalogue():
    known = {(entry.get("msgctxt", ""), entry["msgid"]) for entry in _entries()}
    root = CATALOGUE.parents[4]
    pages = [page for folder in ("share", "viewer") for page in root.glob(f"templates/{folder}/*.html")]
    pages.append(root / "templates" / "base_share.html")
    for page in pages:
        for _, words, _, context in re.findall(
            r"""{% translate (["'])(.*?)\1( context "(.*?)")?""", page.read_text()
        ):
            assert (context, words) in known, (page.name, words)


def test_a_third_language_is_a_translation_file_away(tmp_path):
    for name in ("es", "fr", "pt_BR"):
        catalogue = tmp_path / name / "LC_MESSAGES" / "django.mo"
        catalogue.parent.mkdir(parents=True)
        catalogue.touch()
    assert languages_in(tmp_path) == [
        ("en", "English"), ("es", "Español"), ("fr", "Français"), ("pt-br", "Português brasileiro"),
    ]  # fmt: skip
    root = CATALOGUE.parents[4]
    pages = [*root.glob("templates/share/*.html"), root / "templates" / "_language.html"]
    for page in pages:
        assert "language ==" not in page.read_text(), f"{page.name} knows its languages by name"


# Only the desk meets these.
OF_THE_DESK = {errors.IngestRefused, errors.ReasonRequired, errors.StorageFull}
FAMILIES = [
    family
    for family in vars(errors).values()
    if isinstance(family, type) and issubclass(family, errors.ScanpassError) and family not in OF_THE_DESK
]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_of_errors_speaks_spanish(family):
    with translation.override("es"):
        for words in (family.title, family.sentence):
            assert translation.gettext(words) != words


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    "name",
    [
        "Smile Dental",
        "Clínica Ñandú & Muñoz",
        "The Family and Cosmetic Dentistry of Dr. Abcdefgh and Partners",
    ],
)
def test_a_text_is_one_segment_and_nothing_of_the_patient(settings, language, name):
    settings.PUBLIC_BASE_URL = "https://scans.smile-dental.example"
    practice = Practice(name=name, phone="+1 555 010 0199", time_zone="America/New_York")
    link = link_of(PLACEHOLDER)
    ends = datetime(2026, 12, 24, 3, 0, tzinfo=UTC)
    text = messages.link_text(
        practice, language=language, link=link, expires_at=ends, time_zone=practice.time_zone
    )
    assert messages.segments(text) == (1, "GSM-7")
    assert link in text
    assert not text.endswith(link)
    assert "?" not in text
    assert "STOP" in text
    assert ("Dec 23, 2026" if language == "en" else "23/12/2026") in text, "the day is the practice's own"
    code = messages.code_text(practice, language=language, code="482911")
    assert messages.segments(code) == (1, "GSM-7")
    assert code.splitlines()[-1] == "@scans.smile-dental.example #482911"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("a" * 160, (1, "GSM-7")),
        ("a" * 161, (2, "GSM-7")),
        ("a" * 307, (3, "GSM-7")),
        ("€" * 80, (1, "GSM-7")),
        ("€" * 81, (2, "GSM-7")),
        ("í" + "a" * 69, (1, "UCS-2")),
        ("í" + "a" * 70, (2, "UCS-2")),
        ("😀" * 35, (1, "UCS-2")),
        ("😀" * 36, (2, "UCS-2")),
        ("", (1, "GSM-7")),
    ],
)
def test_segments_are_counted_as_the_network_does(text, answer):
    assert messages.segments(text) == answer
