"""The accounting of disclosures: six years of them, each labelled exempt or accountable, with what really left.

The rule asks for the accountable ones only. All are listed, for a patient who asks "who had my images?" asks for all.

Source: 45 CFR 164.528(a)(1) (which are exempt), (b)(2) (date, to whom and their address, what, why).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.clock import now
from portal.records.models import Disclosure, DisclosureEvent, Patient, Series

YEARS: Final = 6
_KINDS: Final = DisclosureEvent.Kind


@dataclass(frozen=True, slots=True)
class Line:
    """One disclosure, in words; `at` is when it was made."""

    at: datetime
    recipient: str
    role: str
    address: str
    what: str
    purpose: str
    is_accountable: bool
    label: str
    released: str
    by: str


def accounting_of(patient: Patient) -> list[Line]:
    """The patient's disclosures of the last six years, the newest first, in the language that is active."""
    since = _years_before(now(), YEARS)
    rows = Disclosure.objects.filter(patient=patient, disclosed_at__gte=since)
    rows = rows.select_related("disclosed_by").prefetch_related("events").order_by("-disclosed_at")
    return [_line(row) for row in rows]


def _years_before(moment: datetime, years: int) -> datetime:
    try:
        return moment.replace(year=moment.year - years)
    except ValueError:  # 29 February
        return moment.replace(year=moment.year - years, day=28)


def _line(row: Disclosure) -> Line:
    events = list(row.events.all())
    kinds = {event.kind for event in events}
    was_misdirected = _KINDS.WRONG_NUMBER in kinds
    return Line(
        at=row.disclosed_at,
        recipient=row.recipient_name,
        role=role_in_words(row.recipient_kind),
        address=row.recipient_address,
        what="; ".join([row.description, *_added_in_words(events)]),
        purpose=purpose_in_words(row.purpose),
        is_accountable=was_misdirected or row.accounting == Disclosure.Accounting.ACCOUNTABLE,
        label=_label(row, was_misdirected),
        released=released_in_words(events),
        by=row.disclosed_by.name if row.disclosed_by else _("The patient"),
    )


def _label(row: Disclosure, was_misdirected: bool) -> str:
    """A message to a wrong number was no disclosure to the individual, whatever it was meant to be."""
    if was_misdirected:
        return _("Accountable: it went to a wrong number")
    return {
        Disclosure.Accounting.EXEMPT_INDIVIDUAL: _("Exempt: to the patient, or who acts for them"),
        Disclosure.Accounting.EXEMPT_TREATMENT: _("Exempt: for care"),
        Disclosure.Accounting.EXEMPT_AUTHORIZED: _("Exempt: the patient sent it"),
        Disclosure.Accounting.ACCOUNTABLE: _("Accountable"),
    }[Disclosure.Accounting(row.accounting)]


def _added_in_words(events: Iterable[DisclosureEvent]) -> list[str]:
    """What was added to it later: the disclosure's own words were written before, and stay as they are."""
    return [
        _("added later: %(what)s") % {"what": _titles(event.facts.get("series", ()))}
        for event in events
        if event.kind == _KINDS.IMAGES_ADDED
    ]


def _titles(ids: Iterable[str]) -> str:
    rows = Series.objects.filter(pk__in=list(ids)).select_related("study").order_by("study_id", "position")
    return ", ".join(f"{row.study.title}: {row.title}" for row in rows)


def released_in_words(events: Iterable[DisclosureEvent]) -> str:
    """What of the images really left."""
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        by_kind.setdefault(event.kind, []).append(event.facts)
    downloads = by_kind.get(_KINDS.DOWNLOADED, [])
    if downloads:
        megabytes = sum(facts.get("length_bytes", 0) for facts in downloads) / 1e6
        return _("Downloaded, %(n)s MB") % {"n": f"{megabytes:.1f}"}
    viewed = len({facts.get("series") for facts in by_kind.get(_KINDS.VIEWED, [])})
    if viewed:
        return ngettext("%(n)s set of pictures opened", "%(n)s sets of pictures opened", viewed) % {
            "n": viewed
        }
    return _("Taken back before it was sent") if _KINDS.UNDONE in by_kind else _("Nothing was opened")


def role_in_words(kind: str) -> str:
    """Who the recipient is to the patient."""
    return {
        Disclosure.Recipient.PATIENT: _("Patient"),
        Disclosure.Recipient.GUARDIAN: _("Parent or guardian"),
        Disclosure.Recipient.DENTIST: _("Dentist"),
    }[Disclosure.Recipient(kind)]


def purpose_in_words(purpose: str) -> str:
    """Why it was shared."""
    return {
        Disclosure.Purpose.PATIENT_REQUEST: _("The patient asked for it"),
        Disclosure.Purpose.REFERRAL: _("To see another dentist"),
        Disclosure.Purpose.SECOND_OPINION: _("Second opinion"),
        Disclosure.Purpose.TREATMENT: _("Care by two dentists together"),
    }[Disclosure.Purpose(purpose)]
