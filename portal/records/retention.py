"""How long images are kept: the practice's years, warnings before they end, and legal holds.

The years run from the patient's last images or share, and for a child not before the eighteenth birthday. What has
ended is listed; nothing is destroyed by a clock: one person asks, another agrees, and the certificate says so
(`portal.records.shredding`). The trail, disclosures and certificates are never deleted, so that HIPAA's six years
need nobody's attention.

Source: 45 CFR 164.316(b)(2)(i), 164.528(a)(1); the years for dental records are state law.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from portal.audit import trail
from portal.audit.actor import Actor, system
from portal.clock import now
from portal.errors import Conflict, InvalidInput, NotFound
from portal.practice.models import Practice
from portal.records.guardians import majority_of
from portal.records.holds import checked_reason
from portal.records.models import Disclosure, Patient, Study
from portal.records.retention_rows import LegalHold, RetentionWarning
from portal.records.shredding_rows import Shredding

YEARS_MIN: Final = 6
YEARS_MAX: Final = 100
WARN_DAYS: Final = (90, 30, 7)
LISTED_MAX: Final = 200
WARNED_AT_ONCE: Final = (
    500  # years that are set for the first time may mean thousands; the sweep has more to do
)
_AT_ONCE: Final = 200
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
    def limit(self) -> int:
        """The warning that is due: 0 once the time has ended."""
        return next(days for days in (0, *reversed(WARN_DAYS)) if self.days <= days)

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
    """What has ended or ends within the longest warning, the oldest first; of a long list its beginning."""
    return list(islice(_endings(practice), LISTED_MAX))


def _endings(practice: Practice) -> Iterator[Ending]:
    """All of them, the oldest first; the studies are fetched some patients at a time, as far as anybody reads."""
    if practice.keep_years is None:
        return
    today = now().astimezone(ZoneInfo(practice.time_zone)).date()
    ending = _ending_patients(practice, practice.keep_years, today)
    for start in range(0, len(ending), _AT_ONCE):
        yield from _studies_of(dict(ending[start : start + _AT_ONCE]), today)


def _ending_patients(practice: Practice, years: int, today: date) -> list[tuple[Patient, date]]:
    """Patients whose years have ended or end within the longest warning, and the day, the oldest first."""
    last_day = today + timedelta(days=max(WARN_DAYS))
    # Days more, for leap years and the practice's midnight; `ends_after` decides.
    since = now() + timedelta(days=max(WARN_DAYS) + 2) - timedelta(days=365 * years)
    dated = [
        (patient, ends_after(patient, patient.last, years, practice))  # type: ignore[attr-defined]
        for patient in _quiet_since(practice, since)
    ]
    return sorted((one for one in dated if one[1] <= last_day), key=lambda one: one[1])


def _studies_of(patients: dict[Patient, date], today: date) -> Iterator[Ending]:
    asked = Shredding.objects.filter(study=OuterRef("pk"), state=Shredding.State.ASKED)
    stored = Study.objects.filter(patient__in=patients, state=Study.State.STORED)
    of_each: dict[UUID, list[Any]] = defaultdict(list)
    for study in stored.annotate(is_asked=Exists(asked)).order_by("created_at", "pk"):
        of_each[study.patient_id].append(study)
    for patient, ends_on in patients.items():
        for study in of_each[patient.pk]:
            study.patient = patient
            days = (ends_on - today).days
            yield Ending(study, ends_on, days, patient.is_held, study.is_asked)  # type: ignore[attr-defined]


def _quiet_since(practice: Practice, since: datetime) -> Iterator[Patient]:
    """Patients with stored images of whom nothing came and nothing was given since; `last` is when."""
    held = LegalHold.objects.filter(patient=OuterRef("pk"), lifted_at=None)
    stored = Study.objects.filter(patient=OuterRef("pk"), state=Study.State.STORED)
    rows = Patient.objects.filter(Exists(stored), practice=practice)
    # Asked for apart: joined together, each study of a patient would meet each share.
    dated = rows.annotate(
        stored_at=_newest(Study, "created_at"),
        shared_at=_newest(Disclosure, "disclosed_at"),
        is_held=Exists(held),
    )
    for patient in dated.filter(stored_at__lt=since).iterator(chunk_size=1000):
        patient.last = max(patient.stored_at, patient.shared_at or patient.stored_at)  # type: ignore[attr-defined]
        if patient.last < since:  # type: ignore[attr-defined]
            yield patient


def _newest(rows: type[Study] | type[Disclosure], field: str) -> Subquery:
    of_patient = rows._default_manager.filter(patient=OuterRef("pk")).order_by(f"-{field}")
    return Subquery(of_patient.values(field)[:1])


def ends_after(patient: Patient, last: datetime, years: int, practice: Practice) -> date:
    """The first day after the years: from the last of the record, or from the eighteenth birthday if that is later."""
    begins = max(last.astimezone(ZoneInfo(practice.time_zone)).date(), majority_of(patient.birthdate))
    try:
        return begins.replace(year=begins.year + years)
    except ValueError:
        return date(begins.year + years, 3, 1)


# --- warnings ------------------------------------------------------------------------------------------------------


def sweep_retention() -> None:
    """Called every few seconds; looks every six hours, and again at once while there is more to write."""
    global _looked_at
    if time.monotonic() - _looked_at >= EVERY_S:
        written = [warn(practice) for practice in Practice.objects.exclude(keep_years=None)]
        if max(written, default=0) < WARNED_AT_ONCE:
            _looked_at = time.monotonic()


def warn(practice: Practice) -> int:
    """Write the warnings that are due and not written yet, each once, so many at a time; returns how many."""
    said = dict(RetentionWarning.objects.filter(study__practice=practice).values_list("study_id", "days"))
    due = (
        one
        for one in _endings(practice)
        if not one.is_held and said.get(one.study.pk, one.limit + 1) > one.limit
    )
    return sum(map(_warn, islice(due, WARNED_AT_ONCE)))


def _warn(ending: Ending) -> int:
    limit = ending.limit
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
