"""The one form in which a name, a chart number or a phone number is compared and indexed.

Two spellings of one name must meet ("García", "GARCIA", "garcia "), so case, accents, spaces and punctuation go.
Letters of other scripts stay as they are.
"""

from __future__ import annotations

import unicodedata

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from portal.errors import InvalidInput

# What decomposition leaves alone although readers and keyboards don't.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d"})


def fold_name(text: str) -> str:
    """A name without case, accents, spaces or punctuation: "De la Cruz-Núñez" → "delacruznunez"."""
    # Twice, for a letter may have a case only once it is taken apart (Unicode 3.13, D146).
    for _ in range(2):
        text = unicodedata.normalize("NFKD", text.casefold())
    decomposed = text.translate(_LETTERS)
    return "".join(letter for letter in decomposed if letter.isalnum())


def fold_chart_number(text: str) -> str:
    """A chart number without case and separators: "SP-000101" → "sp000101"."""
    return fold_name(text)


def digits_of(text: str) -> str:
    """The digits of a text, in order."""
    return "".join(character for character in text if character.isascii() and character.isdigit())


def to_e164(text: str, *, field: str = "mobile") -> str:
    """A phone number in its one international form (ITU-T E.164), read as dialled in `settings.PHONE_REGION`.

    Raises `InvalidInput` when no phone could have it.
    """
    try:
        number = phonenumbers.parse(text, settings.PHONE_REGION)
    except phonenumbers.NumberParseException:
        number = None
    # Possible, not valid: numbering plans grow faster than tables of them, and a typed number is read back anyway.
    if number is None or not phonenumbers.is_possible_number(number):
        raise InvalidInput("This is not a phone number. Type it with its area code.", field=field)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def to_email(text: str, *, field: str = "email") -> str:
    """An e-mail address, trimmed. Raises `InvalidInput` when it can't be one."""
    address = text.strip()
    try:
        validate_email(address)
    except ValidationError:
        raise InvalidInput("This is not an e-mail address. Please check it.", field=field) from None
    return address
