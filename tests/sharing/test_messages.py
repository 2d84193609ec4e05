"""R11: what leaves by text or e-mail is given nothing of the patient, so that no translation can say it."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime

import pytest
from django.conf import settings

from portal.practice.models import Practice
from sharing import messages, tokens

LANGUAGES = [code for code, _ in settings.LANGUAGES]
# All that a message may be made of. `practice` gives its name and its telephone.
GIVEN = {
    "practice": Practice(name="Smile Dental", phone="+1 555 010 0199"),
    "link": tokens.link_of(tokens.PLACEHOLDER),
    "code": "123456",
    "key": "7",
    "expires_at": datetime(2026, 12, 24, 18, tzinfo=UTC),
    "time_zone": "America/New_York",
}
WRITERS = [
    one
    for name, one in inspect.getmembers(messages, inspect.isfunction)
    if one.__module__ == messages.__name__
    and "practice" in inspect.signature(one).parameters
    and name[0] != "_"
]


def test_r11_every_kind_of_message_is_looked_at():
    assert {one.__name__ for one in WRITERS} == {
        *("link_text", "code_text", "notice_text", "call_words", "code_words"),
        *("email_subject", "email_link", "email_code", "email_notice"),
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("writer", WRITERS, ids=lambda one: one.__name__)
def test_r11_a_message_is_made_of_the_practice_the_day_and_a_link_or_a_code(writer, language):
    asked = set(inspect.signature(writer).parameters)
    assert asked <= {*GIVEN, "language"}, (
        "a message needs nothing else; whatever it is, it isn't the patient's"
    )
    words = writer(language=language, **{name: value for name, value in GIVEN.items() if name in asked})
    assert "%(" not in words
    links = re.findall(r"https?://\S+", words)
    assert links == ([GIVEN["link"]] if "link" in asked else [])
    # Which tooth, which kind of image, what for: never.
    assert not re.search(
        r"\b(CT|CBCT|x-ray|implant|tooth|teeth|diagnos|patient|paciente|diente)\w*", words, re.I
    )
