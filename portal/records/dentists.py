"""The directory of dentists a practice sends images to: whom an address belongs to, so that none is picked by mistake.

Source: the check digit of an NPI: CMS, "Requirements for National Provider Identifier (NPI) and NPI Check Digit"
(Luhn over 80840 and the number).
"""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.db import transaction

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import InvalidInput, NotFound
from portal.practice.models import Practice
from portal.records.folding import to_e164, to_email
from portal.records.models import ReferringDentist

TEXT_CHARS_MAX: Final = 120
# Names of mailboxes that a whole office reads.
_SHARED: Final = {
    *(
        "admin",
        "appointments",
        "contact",
        "dental",
        "desk",
        "frontdesk",
        "hello",
        "hi",
        "info",
        "mail",
        "office",
    ),
    *(
        "practice",
        "reception",
        "referral",
        "referrals",
        "scheduling",
        "staff",
        "team",
        "welcome",
        "xray",
        "xrays",
    ),
}


def dentists_of(practice: uuid.UUID) -> list[ReferringDentist]:
    """The directory, by name: all of it, because one left out would count as nobody's address."""
    rows = ReferringDentist.objects.filter(practice_id=practice)
    return sorted(rows, key=lambda row: row.name.casefold())


def entry_of(practice: uuid.UUID, address: str) -> ReferringDentist | None:
    """The entry to which this number or e-mail address belongs."""
    wanted = address.casefold()
    return next(
        (row for row in dentists_of(practice) if wanted in ((row.email or "").casefold(), row.mobile)), None
    )


def has_office_name(address: str) -> bool:
    """Whether an e-mail address is named for an office and not for a person."""
    name = address.strip().casefold().partition("@")[0]
    return name.translate(str.maketrans("", "", "-._")) in _SHARED


def is_shared_mailbox(practice: uuid.UUID, address: str) -> bool:
    """Whether several people read this e-mail address: by its name (`front-desk@…`), or as the directory says."""
    if "@" not in address:
        return False
    if has_office_name(address):
        return True
    entry = entry_of(practice, address.strip())
    return entry is not None and entry.is_shared_mailbox


def is_npi(number: str) -> bool:
    """Whether this can be a National Provider Identifier."""
    if len(number) != 10 or not (number.isascii() and number.isdigit()):
        return False
    digits = [int(digit) for digit in "80840" + number]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (doubled + sum(digits[-1::-2])) % 10 == 0


def note_dentist(entry: ReferringDentist | None, *, actor: Actor, **given: Any) -> ReferringDentist:
    """Add an entry, or write a known one anew. Raises `InvalidInput` (with `field`), `NotFound`."""
    if actor.practice is None or (entry is not None and entry.practice_id != actor.practice):
        raise NotFound
    facts = _checked(**given)
    row = entry or ReferringDentist(practice_id=actor.practice, created_at=now())
    for name, value in facts.items():
        setattr(row, name, value)
    with transaction.atomic():
        row.save()
        trail.record(
            "directory.changed" if entry else "directory.added",
            actor=actor,
            private={name: value for name, value in facts.items() if value},
            dentist=str(row.pk),
        )
    return row


def allow_shared_mailboxes(practice: Practice, *, allowed: bool, actor: Actor) -> None:
    """Say whether a dentist's link may go to a mailbox that several people read."""
    if practice.pk != actor.practice:
        raise NotFound
    with transaction.atomic():
        others = Practice.objects.filter(pk=practice.pk).exclude(allows_shared_mailboxes=allowed)
        if others.update(allows_shared_mailboxes=allowed):
            trail.record("practice.shared-mailboxes", actor=actor, allowed=allowed)


def _checked(
    *, name: str, clinic: str, email: str, mobile: str, phone: str, npi: str, is_shared_mailbox: bool
) -> dict[str, Any]:
    name, npi = " ".join(name.split()), "".join(npi.split())
    if not name or len(name) > TEXT_CHARS_MAX:
        raise InvalidInput("Enter the dentist's name.", field="name")
    if npi and not is_npi(npi):
        raise InvalidInput("This is not an NPI. It has ten digits; please check them.", field="npi")
    if not (email or mobile):
        raise InvalidInput("Enter an e-mail address or a mobile number.", field="email")
    return {
        "name": name,
        "clinic": " ".join(clinic.split())[:TEXT_CHARS_MAX] or None,
        "email": to_email(email) if email else None,
        "mobile": to_e164(mobile) if mobile else None,
        "phone": to_e164(phone, field="phone") if phone else None,
        "npi": npi or None,
        "is_shared_mailbox": is_shared_mailbox,
    }
