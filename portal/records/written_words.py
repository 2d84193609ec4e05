"""What the desk writes down in a few words: in one line, neither missing nor endless."""

from __future__ import annotations

from typing import Final

from portal.errors import InvalidInput

WORDS_CHARS_MAX: Final = 300


def written_words(text: str, field: str, sentence: str) -> str:
    """The words in their one form. Raises `InvalidInput` with `sentence` where there are none, or for too many."""
    words = " ".join(text.split())
    if len(words) < 2:
        raise InvalidInput(sentence, field=field)
    if len(words) > WORDS_CHARS_MAX:
        raise InvalidInput(f"Please use at most {WORDS_CHARS_MAX} letters.", field=field)
    return words
