"""Where messages may go: mobile numbers and e-mail addresses in their one form, and how much of them is shown.

Source: security.md T7 in the design (SMS pumping); ITU-T E.164.
"""

from __future__ import annotations

from typing import Final

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumber, PhoneNumberType

from portal.errors import InvalidInput
from sharing.models import Channel

# The states, the territories and Canada. +1 also reaches islands whose operators pay for incoming texts.
_NORTH_AMERICA: Final = frozenset({"US", "CA", "PR", "VI", "GU", "AS", "MP"})
_ISLAND_CODES: Final = frozenset(
    {242, 246, 264, 268, 284, 345, 441, 473, 649, 658, 664, 721, 758, 767, 784, 809, 829, 849, 868, 869, 876}
)
# What can't receive a text. In North America a mobile and a fixed line often can't be told apart: those pass.
_NO_TEXTS: Final = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PAGER,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
    }
)
_NUMBER_CHARS_MAX: Final = 40
LETTER_CHARS_MAX: Final = 200


def mobile_number(text: str) -> str:
    """The number in E.164 (`+12015550123`). Raises `InvalidInput` for one that can't or mustn't get a text."""
    number = _parsed(text)
    if number is None or not phonenumbers.is_valid_number(number):
        raise _refused(_("This is not a phone number. Please check it with the patient."))
    if phonenumbers.region_code_for_number(number) not in _regions() or _is_island(number):
        raise _refused(
            _("Texts can't be sent to numbers of this country. Please use another number or e-mail.")
        )
    if phonenumbers.number_type(number) in _NO_TEXTS:
        raise _refused(_("This number can't get text messages. Please use a mobile number or e-mail."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _parsed(text: str) -> PhoneNumber | None:
    if len(text) > _NUMBER_CHARS_MAX:
        return None
    try:
        return phonenumbers.parse(text, settings.PHONE_REGION)
    except phonenumbers.NumberParseException:
        return None


def _regions() -> frozenset[str]:
    home = settings.PHONE_REGION
    return _NORTH_AMERICA if home in _NORTH_AMERICA else frozenset({home})


def _is_island(number: PhoneNumber) -> bool:
    return number.country_code == 1 and int(str(number.national_number)[:3]) in _ISLAND_CODES


def _refused(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, field="address")


def email_address(text: str) -> str:
    """The address in lower case. Raises `InvalidInput` for one that can't be."""
    address = text.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise _refused(_("This is not an e-mail address. Please check it.")) from None
    return address


def address_for(channel: str, text: str) -> str:
    """The address of this channel in its one form; a letter's says where it goes, in the desk's words."""
    if channel == Channel.LETTER:
        return " ".join(text.split())[:LETTER_CHARS_MAX] or _("Handed over at the office")
    return mobile_number(text) if channel == Channel.TEXT else email_address(text)


def folded(text: str) -> str:
    """What a recipient typed, in the form an address is stored in; never raises, for it is only compared."""
    try:
        return email_address(text) if "@" in text else mobile_number(text)
    except InvalidInput:
        return ""


def hint(channel: str, address: str) -> str:
    """As much of the address as helps its owner and tells no one else: "number ending 42"."""
    if channel == Channel.TEXT:
        return _("number ending %(digits)s") % {"digits": address[-2:]}
    if channel == Channel.LETTER:
        return _("paper slip from your dental office")
    name, _at, host = address.partition("@")
    return _("e-mail %(start)s…@%(host)s") % {"start": name[:1], "host": host}
