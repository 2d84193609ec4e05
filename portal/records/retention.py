"""How long images are kept: the practice's years, warnings before they end, and legal holds.

The years run from the patient's last images or share, and for a child not before the eighteenth birthday. What has
ended is listed; nothing is destroyed by a clock: one person asks, another agrees, and the certificate says so
(`portal.records.shredding`). The trail, disclosures and certificates are never deleted, so that HIPAA's six years
need nobody's attention.

Source: 45 CFR 164.316(b)(2)(i), 164.528(a)(1); the years for dental records are state law.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from portal.audit import trail
from portal.audit.actor import Actor, system
from portal.clock import now
from portal.errors import Conflict, InvalidInput, NotFound
from portal.practice.models import Practice
from portal.records.guardians import majority_of
from portal.records.holds import checked_reason
from portal.records.models import Patient, Study
from portal.records.retention_rows import LegalHold, RetentionWarning
from portal.records.shredding_rows import Shredding

YEARS_MIN: Final = 6
YEARS_MAX: Final = 100
WARN_DAYS: Final = (90, 30, 7)
LISTED_MAX: Final = 200
EVERY_S: Final = 6 * 3600
_looked_at = -float(EVERY_S)


@dataclass(frozen=True, slots=True)
class Ending:
    """A study and the first day on which it needn't be kept any more."""

    study: Study
    ends_on: date
    days: int
    is_held: bool
    is_asked: bool

    @property
    def has_ended(self) -> bool:
        return self.days <= 0


def set_years(practice: Practice, years: int | None, *, actor: Actor) -> None:
    """How long images are kept from now on; None: until somebody decides. Raises `InvalidInput`."""
    if practice.pk != actor.practice:
        raise NotFound
    if years is not None and not YEARS_MIN <= years <= YEARS_MAX:
        raise InvalidInput(f"Between {YEARS_MIN} and {YEARS_MAX} years, or nothing.", field="years")
    with transaction.atomic():
        before = Practice.objects.select_for_update(no_key=True).get(pk=practice.pk).keep_years
        if before != years:
            Practice.objects.filter(pk=practice.pk).update(keep_years=years)
            trail.record("retention.changed", actor=actor, before=before, years=years)


def endings_of(practice: Practice) -> list[Ending]:
    """What has ended or ends within the longest warning, the oldest first."""
    if practice.keep_years is None:
        return []
    today = now().astimezone(ZoneInfo(practice.time_zone)).date()
    found = list(_endings(practice, practice.keep_years, today))
    return sorted(found, key=lambda one: one.ends_on)[:LISTED_MAX]


def _endings(practice: Practice, years: int, today: date) -> Iterator[Ending]:
    last_day = today + timedelta(days=max(WARN_DAYS))
    # Days more, for leap years and the practice's midnight; `ends_after` decides.
    since = now() + timedelta(days=max(WARN_DAYS) + 2) - timedelta(days=365 * years)
    for patient in _quiet_since(practice, since):
        ends_on = ends_after(patient, patient.last, years, practice)  # type: ignore[attr-defined]
        if ends_on > last_day:
            continue
        for study in patient.studies.select_related("patient").filter(state=Study.State.STORED):
            asked = Shredding.objects.filter(study=study, state=Shredding.State.ASKED).exists()
            yield Ending(study, ends_on, (ends_on - today).days, patient.is_held, asked)  # type: ignore[attr-defined]


def _quiet_since(practice: Practice, since: datetime) -> Iterator[Patient]:
    """Patients with stored images of whom nothing came and nothing was given since; `last` is when."""
    held = LegalHold.objects.filter(patient=OuterRef("pk"), lifted_at=None)
    stored = Study.objects.filter(patient=OuterRef("pk"), state=Study.State.STORED)
    rows = Patient.objects.filter(Exists(stored), practice=practice)
    dated = rows.annotate(
        stored_at=Max("studies__created_at"), shared_at=Max("disclosures__disclosed_at"), is_held=Exists(held)
    )
    for patient in dated.filter(stored_at__lt=since):
        patient.last = max(patient.stored_at, patient.shared_at or patient.stored_at)  # type: ignore[attr-defined]
        if patient.last < since:  # type: ignore[attr-defined]
            yield patient


def ends_after(patient: Patient, last: datetime, years: int, practice: Practice) -> date:
    """The first day after the years: from the last of the record, or from the eighteenth birthday if that is later."""
    begins = max(last.astimezone(ZoneInfo(practice.time_zone)).date(), majority_of(patient.birthdate))
    try:
        return begins.replace(year=begins.year + years)
    except ValueError:
        return date(begins.year + years, 3, 1)


# --- warnings ------------------------------------------------------------------------------------------------------


def sweep_retention() -> None:
    """Called every few seconds; looks every six hours."""
    global _looked_at
    if time.monotonic() - _looked_at >= EVERY_S:
        _looked_at = time.monotonic()
        for practice in Practice.objects.exclude(keep_years=None):
            warn(practice)


def warn(practice: Practice) -> int:
    """Write every warning that is due and not written yet, each once; returns how many."""
    return sum(_warn(one) for one in endings_of(practice) if not one.is_held)


def _warn(ending: Ending) -> int:
    limit = next(days for days in (0, *reversed(WARN_DAYS)) if ending.days <= days)
    study = ending.study
    with transaction.atomic():
        _, is_new = RetentionWarning.objects.get_or_create(study=study, defaults={"days": limit})
        rows = RetentionWarning.objects.filter(study=study, days__gt=limit)
        if not is_new and not rows.update(days=limit):
            return 0
        code = "retention.ends-soon" if limit else "retention.ended"
        actor = system(study.practice_id)
        trail.record(code, actor=actor, patient=study.patient_id, study=study.pk, days=limit)
    return 1


# --- legal holds ---------------------------------------------------------------------------------------------------


def standing_legal_holds(patient: Patient) -> QuerySet[LegalHold]:
    """The patient's legal holds that stand, the oldest first."""
    return LegalHold.objects.filter(patient=patient, lifted_at=None).order_by("created_at")


def place_legal_hold(patient: Patient, *, reason: str, actor: Actor) -> LegalHold:
    """From now on nothing of the patient is destroyed. Raises `InvalidInput` for a reason of no words."""
    if patient.practice_id != actor.practice or actor.id is None:
        raise NotFound
    reason = checked_reason(reason)
    with transaction.atomic():
        # Whoever destroys images of the patient takes this lock too, and then sees the hold.
        Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
        row = LegalHold.objects.create(
            practice_id=patient.practice_id,
            patient=patient,
            reason=reason,
            created_at=now(),
            created_by_id=actor.id,
        )
        trail.record("legal-hold.placed", actor=actor, patient=patient.pk, private={"reason": reason})
    return row


def lift_legal_hold(hold: LegalHold, *, reason: str, actor: Actor) -> None:
    """The matter is over. Raises `Conflict` when it was lifted already."""
    if hold.practice_id != actor.practice or actor.id is None:
        raise NotFound
    reason = checked_reason(reason)
    with transaction.atomic():
        standing = LegalHold.objects.filter(pk=hold.pk, lifted_at=None)
        if not standing.update(lifted_at=now(), lifted_by_id=actor.id):
            raise Conflict("This legal hold was lifted already.")
        trail.record("legal-hold.lifted", actor=actor, patient=hold.patient_id, private={"reason": reason})


def get_legal_hold(practice: UUID, hold_id: UUID) -> LegalHold:
    """A legal hold of the practice. Raises `NotFound`."""
    found = LegalHold.objects.select_related("patient").filter(practice_id=practice, pk=hold_id).first()
    if found is None:
        raise NotFound
    return found
