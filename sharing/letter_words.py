"""The words of the letter and its slip, in the recipient's language, for paper and page alike."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import gettext as _

from portal.records.models import Disclosure
from sharing.letter import Letter


@dataclass(frozen=True, slots=True)
class Words:
    """Every line, in the order in which they are read."""

    practice: str
    phone: str
    date: str
    title: str
    greeting: str
    opening: list[str]
    steps: list[str]
    typed: str
    closing: list[str]
    slip_title: str
    slip_lines: list[str]


def words_of(letter: Letter) -> Words:
    """The words, in the language that is active."""
    share = letter.share
    practice, zone = share.practice, ZoneInfo(share.practice.time_zone)
    names = {
        "practice": practice.name,
        "phone": practice.phone,
        "name": share.disclosure.recipient_name,
        "who": share.patient.short_name.rstrip("."),
        "day": formats.date_format(share.expires_at.astimezone(zone), "DATE_FORMAT"),
        "date": formats.date_format(letter.printed_at.astimezone(zone), "DATE_FORMAT"),
    }
    for_another = share.disclosure.recipient_kind == Disclosure.Recipient.GUARDIAN
    opening = (
        _("%(practice)s has a dental scan of %(who)s for you.")
        if for_another
        else _("%(practice)s has a dental scan for you.")
    )
    return Words(
        practice=practice.name,
        phone=practice.phone,
        date=names["date"],
        title=_("Your dental scan"),
        greeting=_("Hello %(name)s,") % names,
        opening=[opening % names, _("You can see it on a phone, a tablet or a computer.")],
        steps=[
            _("Point the camera at the square and tap the link."),
            _("Type the birth date of the child or adult in the scan.")
            if for_another
            else _("Type your birth date."),
            _("Type the code from the paper slip."),
        ],
        typed=_("No camera? Open this page, choose “Or paste the link” and type these letters:"),
        closing=[
            _("The link works until %(day)s.") % names,
            _("Keep the letter and the slip in two places. Do not show them to others."),
            _("Questions? Call %(practice)s: %(phone)s.") % names,
        ],
        slip_title=_("Your code"),
        slip_lines=[
            _("It goes with the letter of %(date)s.") % names,
            _("Keep it apart from the letter."),
            _("Questions? Call %(practice)s: %(phone)s.") % names,
        ],
    )
