"""What a request says, as short texts: from a form or from JSON, never anything else.

Arrays, nested objects, booleans, floats and bodies too large to be a form end here, in words.
"""

from __future__ import annotations

import json
import unicodedata
from datetime import date
from typing import Any, Final

from django.http import HttpRequest
from django.utils.translation import gettext as _

from portal.errors import InvalidInput
from sharing.codes import DIGITS

BODY_BYTES_MAX: Final = 8192
FIELD_CHARS_MAX: Final = 400


def is_json(request: HttpRequest) -> bool:
    """Whether the client is a script that speaks JSON."""
    return request.content_type == "application/json" or "application/json" in request.headers.get(
        "Accept", ""
    )


def field(request: HttpRequest, name: str) -> str:
    """One field, trimmed; "" when it isn't there. Raises `InvalidInput` for anything but text or a whole number."""
    value = _fields(request).get(name, "")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _unreadable()
    if isinstance(value, int) and abs(value) > 10**12:
        raise _unreadable()
    text = str(value).strip()
    if len(text) > FIELD_CHARS_MAX:
        raise _unreadable()
    return text


def _fields(request: HttpRequest) -> dict[str, Any]:
    if request.content_type != "application/json":
        return request.POST.dict()
    if int(request.headers.get("Content-Length") or 0) > BODY_BYTES_MAX or len(request.body) > BODY_BYTES_MAX:
        raise _unreadable()
    try:
        fields = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        raise _unreadable() from None
    if not isinstance(fields, dict):
        raise _unreadable()
    return fields


def birthdate(request: HttpRequest) -> date:
    """The date in the three fields. Raises `InvalidInput`; a date that can't be is no try."""
    year, month, day = (digits(field(request, name)) for name in ("year", "month", "day"))
    if not (year and month and day):
        raise InvalidInput(_("Enter the month, day and year as numbers."), field="month")
    if len(year) != 4:
        raise InvalidInput(_("Enter the year with four digits, like 1986."), field="year")
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise InvalidInput(_("There is no such date. Check the month and the day."), field="month") from None


def code(request: HttpRequest) -> str:
    """The six digits; spaces and dashes don't matter. Raises `InvalidInput`; anything else is no try."""
    text = "".join(
        letter for letter in field(request, "code") if not (letter.isspace() or letter in "-.\u2011\u2013")
    )
    found = digits(text)
    if len(found) != DIGITS:
        raise InvalidInput(_("Enter the 6 digits of the code."), field="code")
    return found


def digits(text: str) -> str:
    """The text in the digits 0 to 9, from whatever script the keyboard writes; "" unless it is all digits."""
    if not text or len(text) > 12 or not text.isdecimal():
        return ""
    return "".join(str(unicodedata.decimal(letter)) for letter in text)


def _unreadable() -> InvalidInput:
    return InvalidInput(_("This request can't be read. Please go back and try again."))
