"""Whether a number or address is the patient's: verified at the desk, unknown, or known to be bad.

One rule for all: what is bad stays bad until the patient has read a code back at the desk.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from django.conf import settings

from portal.clock import now
from portal.errors import Conflict
from portal.records.models import Patient
from portal.sealed.fields import blind_index
from sharing.known import KnownAddress

Trouble = KnownAddress.Trouble
Word = Literal["verified", "stale", "unknown", "wrong-number", "lost-phone"]

_REFUSALS: Final = {
    Trouble.WRONG_NUMBER: "This number was reported as someone else's. Text a code to it and let the patient read "
    "it back, or use another number.",
    Trouble.LOST_PHONE: "This phone was reported lost. Text a code to it and let the patient read it back, or use "
    "another number.",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of an address. `at` is since when; `by` who read the code back with the patient."""

    word: Word
    at: datetime | None = None
    by: str = ""

    @property
    def is_bad(self) -> bool:
        return self.word in _REFUSALS


UNKNOWN: Final = Standing("unknown")


def index_of(practice: uuid.UUID, address: str) -> bytes:
    """The blind index of an address in its one form, as shares and known addresses hold it."""
    return blind_index(practice, "address", address)


def standing_of(patient: Patient, address: str) -> Standing:
    """What the practice knows of this address (in its one form) for this patient."""
    return standings_of(patient.practice_id, {patient.pk: address})[patient.pk]


def standings_of(practice: uuid.UUID, addresses: dict[uuid.UUID, str]) -> dict[uuid.UUID, Standing]:
    """The same of many patients of one practice and an address of each, in one question."""
    indexes = {patient: index_of(practice, address) for patient, address in addresses.items()}
    rows = KnownAddress.objects.filter(practice_id=practice, patient_id__in=indexes)
    known = {
        row.patient_id: row
        for row in rows.select_related("verified_by")
        if bytes(row.address_index) == indexes[row.patient_id]
    }
    return {patient: _read(known[patient]) if patient in known else UNKNOWN for patient in addresses}


def _read(row: KnownAddress) -> Standing:
    if row.bad_at is not None:
        return Standing("lost-phone" if row.bad_because == Trouble.LOST_PHONE else "wrong-number", row.bad_at)
    if row.verified_at is None:
        return UNKNOWN
    # Numbers are given to new owners (FCC: after 45 days at the earliest), so a check is good for a while only.
    is_fresh = row.verified_at > now() - timedelta(days=settings.NUMBER_CHECK_DAYS)
    by = row.verified_by.name if row.verified_by else ""
    return Standing("verified" if is_fresh else "stale", row.verified_at, by)


def refuse_bad(patient_id: uuid.UUID, address_index: bytes) -> None:
    """Raise `Conflict` when nothing may be sent to this address for this patient."""
    bad = KnownAddress.objects.filter(
        patient_id=patient_id, address_index=address_index, bad_at__isnull=False
    )
    because = bad.values_list("bad_because", flat=True).first()
    if because is not None:
        raise Conflict(_REFUSALS[Trouble(because)], field="address")


def mark_verified(patient: Patient, address: str, *, by: uuid.UUID | None) -> None:
    """The patient has read a code back that was sent there, in the caller's transaction."""
    row = _row(patient.practice_id, patient.pk, index_of(patient.practice_id, address))
    KnownAddress.objects.filter(pk=row.pk).update(
        verified_at=now(), verified_by_id=by, bad_at=None, bad_because=""
    )


def mark_bad(practice: uuid.UUID, patient_id: uuid.UUID, address_index: bytes, because: str) -> None:
    """Nothing more goes there for this patient, in the caller's transaction."""
    row = _row(practice, patient_id, address_index)
    KnownAddress.objects.filter(pk=row.pk).update(
        bad_at=now(), bad_because=because, verified_at=None, verified_by=None
    )


def _row(practice: uuid.UUID, patient_id: uuid.UUID, address_index: bytes) -> KnownAddress:
    row, _is_new = KnownAddress.objects.get_or_create(
        patient_id=patient_id, address_index=address_index, defaults={"practice_id": practice}
    )
    return row
