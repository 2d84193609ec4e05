"""The page speaks the reader's language, scripts included; every word the scripts need is on the page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import translation
from playwright.sync_api import Page, expect

from .fake_server import PROJECT, FakeServer
from .fake_study import FakeSeries

Serve = Callable[..., FakeServer]
OpenPage = Callable[..., Page]
NO_LANGUAGE = {"alternative", "measured", "solid"}
TO_DENTISTS = {"axial", "coronal", "right", "left", "front", "back", "head", "feet"}  # R is R


def words(server: FakeServer) -> dict[str, str]:
    block = re.search(
        r'<script type="application/json" id="viewer-words">(.*?)</script>', server.page(), re.DOTALL
    )
    assert block
    found: dict[str, str] = json.loads(block[1])
    return found


@pytest.mark.parametrize("face", ["patient", "dentist"])
def test_every_word_the_scripts_need_is_brought_in_both_languages(
    serve: Serve, cbct: FakeSeries, face: str
) -> None:
    server = serve(cbct)
    server.face = face
    script = (PROJECT / "static/js/viewer/words.js").read_text()
    needed = set(re.findall(r"^  (\w+): \"", script, re.MULTILINE))
    english = words(server)
    server.language = "es"
    spanish = words(server)
    assert set(english) == set(spanish) == needed
    same = {key for key in needed if english[key] == spanish[key]}
    assert same <= (NO_LANGUAGE | TO_DENTISTS if face == "dentist" else NO_LANGUAGE)
    for key in needed:
        places = re.findall(r"\{\w+\}", english[key])
        assert sorted(places) == sorted(re.findall(r"\{\w+\}", spanish[key])), key


def test_spanish_page_speaks_spanish(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> None:
    server = serve(cbct)
    server.language = "es"
    page = open_page(server)
    with translation.override("es"):
        notice = translation.gettext("For information only. Ask your dentist what it means.")
        slice_38 = translation.gettext("slice {n} of {count}").format(n=38, count=75)
        right = translation.pgettext("side", "Right")
    assert slice_38 != "slice 38 of 75"
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", slice_38)
    expect(page.locator("[data-part=letter-left]")).to_have_text(right)
    expect(page.get_by_text(notice)).to_be_visible()


def test_page_without_words_falls_back_to_english(run: Callable[..., Any]) -> None:
    body = "return m.readWords(document, 'none')('slice', { n: 2, count: 9 })"
    assert run("words", body) == "slice 2 of 9"


def test_words_stay_text(run: Callable[..., Any]) -> None:
    """A name with braces or tags is put in as it is, once."""
    body = "return m.readWords(document, 'none')('call', { practice: '{phone}<b>', phone: '1' })"
    assert run("words", body) == "Call {phone}<b>: 1."
