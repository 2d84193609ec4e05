"""The terms of an agreement as they were recorded, sealed beside the plain columns that are searched.

The days stand in plain columns, and whoever can write to the database can move them there; the sealed copy can't be
made without the practice's key. What it can't show is a row that was put back whole to what it once was: that is seen
in the trail, which has an entry for each agreement that was added and each that was ended.
"""

from __future__ import annotations

from portal.errors import VaultDamaged
from portal.practice.models import Agreement
from portal.sealed.fields import Ciphertext


def sealed_terms(agreement: Agreement) -> Ciphertext:
    """What to write into `terms`, by the row's columns as they stand in Python."""
    return Agreement._meta.get_field("terms").sealed(agreement, _spelled(agreement))


def are_as_recorded(agreement: Agreement) -> bool:
    """Whether the columns say what was recorded. Raises `Sealed` when the key is out of reach."""
    try:
        return bool(agreement.terms == _spelled(agreement))
    except VaultDamaged:
        return False


def _spelled(agreement: Agreement) -> str:
    days = (agreement.signed_on, agreement.starts_on, agreement.ends_on, agreement.terminated_on)
    told = " ".join(day.isoformat() if day else "-" for day in days)
    return f"{agreement.associate_id} {agreement.associate.adapter} {told}"
