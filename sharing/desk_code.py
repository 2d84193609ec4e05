"""The code on a printed slip: 60 random bits in 12 letters and digits, and one more that finds a slip of the pen.

It stands for the texted code where there is no telephone. It may be used as long as the letter's link lives, for
whoever has no telephone can't be sent another one; what limits guessing is the share's count of failures.

Source: D. Crockford, "Base 32" (the alphabet); NIST SP 800-63B-4, 3.1.2 (look-up secrets) and 3.2.2.
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from typing import Final

from django.utils.translation import gettext as _

from portal.errors import InvalidInput
from portal.sealed.keys import installation_key

CHARS: Final = 12
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES: Final = {letter: value for value, letter in enumerate(_ALPHABET)} | {"O": 0, "I": 1, "L": 1}


def make_desk_code() -> str:
    """A new code: 13 characters, the last of them the check."""
    values = [secrets.randbelow(32) for _place in range(CHARS)]
    return "".join(_ALPHABET[value] for value in [*values, _check(values)])


def grouped(code: str) -> str:
    """The code as it is printed: `7Q3M-9XW4-T2K8C`."""
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


def parsed_desk_code(text: str) -> str:
    """The code as it was made, from what was typed: case, spaces and dashes don't matter, nor O for 0, I and L for 1.

    Raises `InvalidInput` for anything that is no code; a mistyped letter is found here, and is no try.
    """
    letters = [
        letter for letter in text.upper() if not (letter.isspace() or letter in "-.\u2010\u2011\u2013")
    ]
    values = [_VALUES.get(letter, -1) for letter in letters]
    if len(values) != CHARS + 1 or -1 in values:
        raise InvalidInput(_("The code has 13 letters and numbers. Please check the slip."), field="code")
    if _check(values[:CHARS]) != values[CHARS]:
        raise InvalidInput(_("One letter or number is not right. Please check the slip."), field="code")
    return "".join(_ALPHABET[value] for value in values)


def desk_code_hmac(code: str, *, share: uuid.UUID) -> bytes:
    """What the database keeps of a code, for this share alone."""
    return hmac.digest(installation_key("otp", "desk-code"), share.bytes + code.encode(), "sha256")


def is_desk_code(code: str, kept: bytes, *, share: uuid.UUID) -> bool:
    """Whether this is the code, in constant time."""
    return hmac.compare_digest(desk_code_hmac(code, share=share), kept)


def _check(values: list[int]) -> int:
    """Σ αⁱ·cᵢ over GF(32): one wrong character or two in each other's place change it.

    The weights α¹ … α¹² are all different and none is zero.
    """
    check = 0
    for value in values:
        check = _times_alpha(check ^ value)
    return check


def _times_alpha(value: int) -> int:
    """Times x in GF(2)[x] / (x⁵ + x² + 1), whose x is primitive."""
    value <<= 1
    return value ^ 0b100101 if value & 0b100000 else value
