"""How numbers, dates and names of other systems are written on the desk's pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import phonenumbers
from django import template
from django.utils import timezone
from django.utils.formats import date_format

register = template.Library()


@register.filter
def phone(value: str) -> str:
    """A number in E.164 in groups, as one reads it aloud; anything else (an e-mail address) as it is."""
    if not value.startswith("+"):
        return value
    number = phonenumbers.parse(value)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


@register.filter
def dicom_date(value: str) -> str:
    """`19860412` as "Apr 12, 1986"; what is no date, as it stands in the file (DICOM PS3.5 6.2, DA)."""
    try:
        # A day of the calendar, so no time zone has a say in it.
        day = datetime.strptime(value, "%Y%m%d")  # noqa: DTZ007
    except (TypeError, ValueError):
        return value
    return date_format(day, "M j, Y")


@register.filter
def person_name(value: str) -> str:
    """`Garcia^Maria^Elena` as "Garcia, Maria Elena" (DICOM PS3.5 6.2, PN)."""
    family, _, rest = (value or "").partition("^")
    given = " ".join(rest.replace("^", " ").split())
    return f"{family}, {given}" if given else family


@register.filter
def fact(value: Any) -> Any:
    """A fact of the trail as people read it: yes or no, a time in the practice's zone, anything else as it stands."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str) or "T" not in value:
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return date_format(timezone.localtime(moment), "M j, Y, g:i:s a") if moment.tzinfo else value
