"""A telephone number never breaks over two lines."""

from __future__ import annotations

import pytest

from sharing.templatetags.telephone import unbroken


@pytest.mark.parametrize(
    ("sentence", "number", "html"),
    [
        ("Call +1 555 010 0199.", "+1 555 010 0199", 'Call <span class="no-break">+1 555 010 0199</span>.'),
        ("Call <b>us</b>.", "+1 555", "Call &lt;b&gt;us&lt;/b&gt;."),
        ("Call O'Neill", "", "Call O&#x27;Neill"),
        ("<1 & 2>", "<1 & 2>", '<span class="no-break">&lt;1 &amp; 2&gt;</span>'),
    ],
)
def test_only_the_number_is_kept_together_and_all_is_escaped(sentence: str, number: str, html: str) -> None:
    assert unbroken(sentence, number) == html
