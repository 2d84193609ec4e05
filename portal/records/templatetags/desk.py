"""How numbers people dial are written on the desk's pages."""

from __future__ import annotations

import phonenumbers
from django import template

register = template.Library()


@register.filter
def phone(value: str) -> str:
    """A number in E.164 in groups, as one reads it aloud; anything else (an e-mail address) as it is."""
    if not value.startswith("+"):
        return value
    number = phonenumbers.parse(value)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
