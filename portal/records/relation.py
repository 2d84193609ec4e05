"""Who has to do with a patient, and opening images in spite of having nothing to do with them.

A practice of twelve has no shifts and wards to ask. Its people have to do with a patient while the practice is at work
with the patient (added, imaged, shared, asked for within thirty days), and a year long where they did some of that
themselves. Whoever else opens the images says why; so does everybody for a restricted patient. The reason opens them
for four hours, stands in the trail, and is read in the weekly review.

Source: 45 CFR 164.502(b), minimum necessary; 164.312(a)(2)(ii), emergency access; 164.308(a)(1)(ii)(D).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.db.models.fields import CharField
from django.urls import reverse

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import NotFound, ReasonRequired
from portal.records.holds import checked_reason
from portal.records.models import Disclosure, Patient, Study, Upload
from portal.records.relation_rows import BrokenGlass
from portal.records.rights import AccessRequest, Hold

CURRENT_FOR: Final = timedelta(days=30)
OWN_FOR: Final = timedelta(days=365)
GLASS_FOR: Final = timedelta(hours=4)
# A batch of frames follows the other: what was allowed a moment ago is not asked again. A new hold bites after it.
ALLOWED_FOR_S: Final = 5.0
_KEPT_MAX: Final = 256
_allowed: OrderedDict[tuple[UUID, UUID], float] = OrderedDict()


def check_related(actor: Actor, patient_id: UUID) -> None:
    """Raise `ReasonRequired` where the actor has to say why first."""
    if actor.id is None:
        raise NotFound
    name = (actor.id, patient_id)
    if time.monotonic() - _allowed.get(name, -ALLOWED_FOR_S) < ALLOWED_FOR_S:
        return
    if why_not(actor.id, patient_id):
        raise ReasonRequired(next=reverse("break_glass", args=[patient_id]))
    _allowed[name] = time.monotonic()
    while len(_allowed) > _KEPT_MAX:
        _allowed.popitem(last=False)


def forget() -> None:
    """Forget who was allowed (a hold was placed; tests)."""
    _allowed.clear()


def why_not(user_id: UUID, patient_id: UUID) -> str:
    """Why a reason is needed (a word of `BrokenGlass.Why`), or nothing."""
    moment = now()
    of_patient = {"patient": OuterRef("pk")}
    restricted = Hold.objects.filter(lifted_at=None, **of_patient).exclude(kind=Hold.Kind.PERSON)
    glass = BrokenGlass.objects.filter(user_id=user_id, until__gt=moment, **of_patient)
    answer = (
        Patient.objects.filter(pk=patient_id)
        .annotate(
            why=Case(
                When(Exists(glass), then=Value("")),
                When(Exists(restricted), then=Value(BrokenGlass.Why.RESTRICTED.value)),
                When(_is_current(moment) | _is_own(user_id, moment), then=Value("")),
                default=Value(BrokenGlass.Why.UNRELATED.value),
                output_field=CharField(),
            )
        )
        .values_list("why", flat=True)
        .first()
    )
    if answer is None:
        raise NotFound
    return answer


def break_glass(patient: Patient, *, reason: str, actor: Actor) -> BrokenGlass:
    """Open the patient's images to the actor for four hours. Raises `InvalidInput` for a reason of no words."""
    if patient.practice_id != actor.practice or actor.id is None:
        raise NotFound
    reason, moment = checked_reason(reason), now()
    why = why_not(actor.id, patient.pk) or BrokenGlass.Why.UNRELATED
    with transaction.atomic():
        row = BrokenGlass.objects.create(
            practice_id=patient.practice_id,
            patient=patient,
            user_id=actor.id,
            why=why,
            reason=reason,
            at=moment,
            until=moment + GLASS_FOR,
        )
        trail.record(
            "access.glass-broken", actor=actor, patient=patient.pk, private={"reason": reason}, why=why
        )
    return row


def _is_current(moment: datetime) -> Q:
    since = moment - CURRENT_FOR
    of_patient = {"patient": OuterRef("pk")}
    return (
        Q(created_at__gt=since)
        | Exists(Study.objects.filter(created_at__gt=since, **of_patient))
        | Exists(Upload.objects.filter(created_at__gt=since, **of_patient))
        | Exists(Disclosure.objects.filter(disclosed_at__gt=since, **of_patient))
        | Exists(AccessRequest.objects.filter(created_at__gt=since, **of_patient))
    )


def _is_own(user_id: UUID, moment: datetime) -> Q:
    since = moment - OWN_FOR
    of_patient = {"patient": OuterRef("pk")}
    return Q(
        Exists(Study.objects.filter(created_by=user_id, created_at__gt=since, **of_patient))
        | Exists(Upload.objects.filter(created_by=user_id, created_at__gt=since, **of_patient))
        | Exists(Disclosure.objects.filter(disclosed_by=user_id, disclosed_at__gt=since, **of_patient))
    )
