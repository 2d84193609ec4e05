"""A day's images to their own patients, in one go: each its own share, its own entry, its own outcome.

One that can't be sent stops none of the others, and the same form sent twice sends nothing twice. The messages
leave one by one, as fast as the gateway allows.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import InvalidInput, NotFound, ScanpassError
from portal.records.models import Contact, Disclosure, Patient, Series, Study
from portal.records.namesakes import Likeness, likenesses_of
from sharing.addresses import folded
from sharing.models import Channel, Share, SharedSeries
from sharing.once import issue_once
from sharing.standing import Standing, standings_of

LATELY: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A patient whose new images went to nobody yet; `problem` says why they can't be part of a batch."""

    patient: Patient
    series: list[Series]
    channel: str
    address: str
    problem: str

    @property
    def titles(self) -> list[str]:
        """The studies by name, each once."""
        return list(dict.fromkeys(one.study.title for one in self.series))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one patient of a batch: a share, or why there is none."""

    patient: Patient
    share: Share | None
    sentence: str


def who_waits(practice: uuid.UUID) -> list[Waiting]:
    """Patients with images of the last days that were shared with nobody, by name."""
    shared = SharedSeries.objects.filter(share__practice_id=practice).values("study_id")
    studies = Study.objects.filter(
        practice_id=practice, state=Study.State.STORED, created_at__gt=now() - LATELY
    ).exclude(pk__in=shared)
    series = Series.objects.filter(study__in=studies).select_related("study__patient")
    grouped: dict[Patient, list[Series]] = {}
    for one in series.order_by("study__created_at", "study_id", "position"):
        grouped.setdefault(one.study.patient, []).append(one)
    waiting = _waiting(practice, grouped)
    return sorted(waiting, key=lambda row: (row.patient.family_name.casefold(), row.patient.given_name))


def _waiting(practice: uuid.UUID, grouped: dict[Patient, list[Series]]) -> list[Waiting]:
    """Each with the way to them and what is against it, in as many questions as for one."""
    own: dict[uuid.UUID, list[Contact]] = defaultdict(list)
    contacts = Contact.objects.filter(patient__in=grouped, relationship=Contact.Relationship.SELF)
    for contact in contacts.order_by("created_at"):
        own[contact.patient_id].append(contact)
    ways = {patient.pk: _way_to(own[patient.pk]) for patient in grouped}
    reached = {pk: folded(address) for pk, (_channel, address) in ways.items() if address}
    standings = standings_of(practice, reached)
    likenesses = likenesses_of(practice, list(grouped))
    return [
        Waiting(
            patient, series, *ways[patient.pk], _problem(standings.get(patient.pk), likenesses[patient.pk])
        )
        for patient, series in grouped.items()
    ]


def _way_to(own: list[Contact]) -> tuple[str, str]:
    ways = ((Contact.Kind.MOBILE, Channel.TEXT), (Contact.Kind.EMAIL, Channel.EMAIL))
    for kind, channel in ways:
        for contact in own:
            if contact.kind == kind:
                return channel.value, contact.value
    return Channel.TEXT.value, ""


def _problem(standing: Standing | None, likeness: Likeness) -> str:
    if standing is None:
        return "No number or e-mail address on the chart."
    if standing.is_bad or standing.word == "stale":
        return "The number must be checked first, on the patient's own page."
    if likeness != "none":
        return "Another patient has this name: share on the patient's own page."
    return ""


def issue_batch(
    key: uuid.UUID, patients: Sequence[uuid.UUID], *, consent: bool, expires_at: datetime, actor: Actor
) -> list[Outcome]:
    """Share with each of these patients what waits for them. `key` is the form's: twice the same makes no more.

    Raises `InvalidInput` for none or too many, or without consent, `NotFound` when one isn't waiting (any more).
    """
    if actor.practice is None:
        raise NotFound
    if consent is not True:
        raise InvalidInput("Ask each patient first, then tick the box.", field="consent")
    if not 0 < len(patients) <= settings.BATCH_MAX_SHARES:
        raise InvalidInput(f"Choose 1 to {settings.BATCH_MAX_SHARES} patients.", field="patients")
    rows = {row.patient.pk: row for row in who_waits(actor.practice)}
    sent = _sent_before(key, patients, actor.practice)
    if not set(patients) <= set(rows) | set(sent):
        raise NotFound
    return [sent.get(pk) or _issue_one(key, rows[pk], expires_at, actor) for pk in dict.fromkeys(patients)]


def _sent_before(
    key: uuid.UUID, patients: Sequence[uuid.UUID], practice: uuid.UUID
) -> dict[uuid.UUID, Outcome]:
    """The shares that this very form has made already."""
    keys = [_key_of(key, patient) for patient in patients]
    shares = Share.objects.filter(practice_id=practice, form__key__in=keys).select_related("patient")
    return {share.patient_id: Outcome(share.patient, share, "") for share in shares}


def _key_of(key: uuid.UUID, patient: uuid.UUID) -> uuid.UUID:
    return uuid.uuid5(key, str(patient))


def _issue_one(key: uuid.UUID, row: Waiting, expires_at: datetime, actor: Actor) -> Outcome:
    if row.problem:
        return Outcome(row.patient, None, row.problem)
    try:
        share, _is_new = issue_once(
            _key_of(key, row.patient.pk),
            row.patient,
            series=row.series,
            recipient_kind=Disclosure.Recipient.PATIENT,
            recipient_name=row.patient.name,
            channel=row.channel,
            address=row.address,
            language=row.patient.language,
            purpose=Disclosure.Purpose.PATIENT_REQUEST,
            consent=True,
            allows_download=False,
            expires_at=expires_at,
            undo_s=settings.UNDO_S,
            actor=actor,
        )
    except ScanpassError as error:
        return Outcome(row.patient, None, error.sentence)
    return Outcome(row.patient, share, "")
