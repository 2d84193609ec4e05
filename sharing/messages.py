"""The words that leave: neutral, in the recipient's language, one segment long.

A text names the practice, never the patient, the tooth or the kind of scan. The link stands in the middle, because
phones make previews of links at the end of a message.

Source: 3GPP TS 23.038 (the GSM 7-bit alphabet); the domain-bound last line: WICG, "Origin-bound one-time codes".
"""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import formats, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from portal.practice.models import Practice

_GSM_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED: Final = frozenset("^{}\\[~]|€\f")  # each takes two septets
ONE_SEGMENT: Final = 160
# Under a long address the name keeps this much, and the text takes a second segment: a stranger's text isn't read.
_NAME_CHARS_MIN: Final = 12


def link_text(practice: Practice, *, language: str, link: str, expires_at: datetime, time_zone: str) -> str:
    """The text message with the link, in GSM 7-bit, as a rule at most 160 characters; a long name is cut."""
    with translation.override(language):
        day = formats.date_format(
            expires_at.astimezone(ZoneInfo(time_zone)), pgettext("date in a text message", "M j, Y")
        )
        words = _(
            "%(practice)s: a dental scan for you. Open %(link)s by %(day)s. Call %(phone)s. Reply STOP to end."
        )
        return _fitted(words, practice, link=link, day=day)


def code_text(practice: Practice, *, language: str, code: str) -> str:
    """The text message with the code; the last line binds it to our site, so that phones fill it in only there."""
    with translation.override(language):
        words = _(
            "%(code)s is your %(practice)s code. It works for 10 minutes. You did not ask? Someone has your link:"
            " tell no one."
        )
        last = f"\n\n@{urlsplit(settings.PUBLIC_BASE_URL).hostname} #{code}"
        return _fitted(words, practice, reserved=len(last), code=code) + last


def call_words(practice: Practice, *, language: str, key: str) -> str:
    """What a call says when it is taken: who calls, and which key to press for the code.

    Source: 47 CFR 64.1200(b)(1), (2): an artificial voice says first who calls, and their number.
    """
    with translation.override(language):
        return _(
            "This is a call from %(practice)s. You asked for a code. Press %(key)s to hear it."
            " If you did not ask, hang up now. Our number is %(phone)s."
        ) % {"practice": practice.name, "key": key, "phone": _one_by_one(practice.phone)}


def code_words(practice: Practice, *, language: str, code: str) -> str:
    """What it says then, digit by digit."""
    with translation.override(language):
        words = _("Your %(practice)s code is: %(code)s. Tell no one.")
        return words % {"practice": practice.name, "code": _one_by_one(code)}


def no_code_words(*, language: str) -> str:
    """What it says after another key, or a second time."""
    with translation.override(language):
        return _("That did not work. Please ask for a new code. Goodbye.")


def _one_by_one(number: str) -> str:
    """The digits with a breath between them; a voice would read them as one large number."""
    return ", ".join(letter for letter in number if letter.isdigit())


def notice_text(practice: Practice, *, language: str) -> str:
    """The text to a patient whose dentist of choice has opened the scan; it names neither of them."""
    with translation.override(language):
        words = _(
            "%(practice)s: the dentist you sent your scan to has opened it. You can end this in your link."
            " Questions? %(phone)s"
        )
        return _fitted(words, practice)


def email_notice(practice: Practice, *, language: str) -> str:
    """The same as an e-mail."""
    with translation.override(language):
        return _(
            "The dentist you sent your scan to has opened it.\n\n"
            "You can end this at any time: open your own link and choose “Send to a dentist”.\n\n"
            "Questions? Call %(practice)s at %(phone)s.\n"
        ) % {"practice": practice.name, "phone": practice.phone}


def email_subject(practice: Practice, *, language: str) -> str:
    """A subject that says nothing of a scan: subjects show on locked screens."""
    with translation.override(language):
        return _("A message from %(practice)s") % {"practice": practice.name}


def email_link(practice: Practice, *, language: str, link: str, expires_at: datetime, time_zone: str) -> str:
    """The body of the e-mail with the link, and nothing else of the patient."""
    with translation.override(language):
        day = formats.date_format(expires_at.astimezone(ZoneInfo(time_zone)), "DATE_FORMAT")
        return _(
            "%(practice)s has something for you.\n\n"
            "Open this link before %(day)s:\n\n%(link)s\n\n"
            "Questions? Call %(practice)s at %(phone)s.\n"
        ) % {"practice": practice.name, "phone": practice.phone, "day": day, "link": link}


def email_code(practice: Practice, *, language: str, code: str) -> str:
    """The body of the e-mail with the code."""
    with translation.override(language):
        return _(
            "%(code)s is your %(practice)s code. It works for 10 minutes.\n\n"
            "If you did not ask for it, please ignore this message.\n"
        ) % {"practice": practice.name, "code": code}


def segments(text: str) -> tuple[int, str]:
    """How many text messages it takes, and in which alphabet: ("GSM-7" or "UCS-2")."""
    if all(letter in _GSM_BASIC or letter in _GSM_EXTENDED for letter in text):
        length, one, many, alphabet = _septets(text), ONE_SEGMENT, 153, "GSM-7"
    else:
        length, one, many, alphabet = len(text.encode("utf-16-be")) // 2, 70, 67, "UCS-2"
    return (1 if length <= one else -(-length // many)), alphabet


def gsm(text: str) -> str:
    """The text in GSM 7-bit: a letter outside it loses its accent, anything else outside it becomes "?".

    One such letter would make the phone network use 16-bit letters, and the message two or three times as long.
    """
    return "".join(
        letter if letter in _GSM_BASIC or letter in _GSM_EXTENDED else _plain(letter) for letter in text
    )


def _plain(letter: str) -> str:
    base = unicodedata.normalize("NFKD", letter)
    return "".join(part for part in base if part in _GSM_BASIC) or (
        "" if unicodedata.combining(letter) else "?"
    )


def _septets(text: str) -> int:
    return sum(2 if letter in _GSM_EXTENDED else 1 for letter in text)


def _fitted(words: str, practice: Practice, *, reserved: int = 0, **parts: str) -> str:
    """The words filled in, with as much of the practice's name as one segment holds, and never too little of it."""
    phone, name = gsm(practice.phone), gsm(practice.name)
    used = _septets(gsm(words % {**parts, "practice": "", "phone": phone})) + reserved
    while len(name) > _NAME_CHARS_MIN and used + _septets(name) > ONE_SEGMENT:
        name = name[:-1].rstrip()
    return gsm(words % {**parts, "practice": name, "phone": phone})
