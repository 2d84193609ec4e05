"""Adding images to a share that lives, and taking some away: the link stays, whoever is in comes in anew.

What a session may open is remembered while it lasts, so a change ends the sessions; what was opened or downloaded
before stays opened, and the evidence says so. An addition is a disclosure of its own kind in the record's timeline.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from django.db import transaction

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import Conflict, InvalidInput, NotFound
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent, Series, Study
from sharing.liveness import state_of
from sharing.models import Share, SharedSeries
from sharing.sessions import end_all


def set_contents(share: Share, *, series: Sequence[Series], actor: Actor) -> tuple[int, int]:
    """Make the share open exactly these series; returns how many were added and how many were taken away.

    Raises `InvalidInput` for none at all (that is revoking), `NotFound` for series of another patient or practice,
    `Conflict` for a share that is over.
    """
    if share.practice_id != actor.practice:
        raise NotFound
    if not series:
        raise InvalidInput("Leave at least one image, or revoke the share.", field="series")
    _check_belong(share, series)
    with transaction.atomic():
        # The lock makes two changes at once one after the other, each counted against what it found.
        locked = Share.objects.select_for_update().get(pk=share.pk)
        if state_of(locked, now()) in {"revoked", "expired"}:
            raise Conflict("This share has ended. Make a new one instead.")
        wanted = {one.pk: one for one in series}
        held = set(SharedSeries.objects.filter(share=share).values_list("series_id", flat=True))
        added, removed = [pk for pk in wanted if pk not in held], sorted(held - set(wanted))
        _add(share, [wanted[pk] for pk in added], actor)
        _remove(share, removed, actor)
        if added or removed:
            end_all(share, now())
    return len(added), len(removed)


def _check_belong(share: Share, series: Sequence[Series]) -> None:
    known = Series.objects.filter(
        pk__in=[one.pk for one in series],
        practice_id=share.practice_id,
        study__patient_id=share.patient_id,
        study__state=Study.State.STORED,
    )
    if known.count() != len({one.pk for one in series}):
        raise NotFound


def _add(share: Share, series: Sequence[Series], actor: Actor) -> None:
    if not series:
        return
    SharedSeries.objects.bulk_create(
        [SharedSeries(share=share, study_id=one.study_id, series=one) for one in series]
    )
    _tell(share, "share.images-added", DisclosureEvent.Kind.IMAGES_ADDED, [one.pk for one in series], actor)


def _remove(share: Share, series: Collection[uuid.UUID], actor: Actor) -> None:
    if not series:
        return
    # The row goes, so that nothing that asks what a share opens can forget to leave it out; the trail keeps it.
    SharedSeries.objects.filter(share=share, series_id__in=series).delete()
    _tell(share, "share.images-removed", DisclosureEvent.Kind.IMAGES_REMOVED, series, actor)


def _tell(share: Share, code: str, kind: str, series: Collection[uuid.UUID], actor: Actor) -> None:
    ids = [str(pk) for pk in series]
    trail.record(code, actor=actor, patient=share.patient_id, share=share.pk, opens=ids)
    note(share.disclosure_id, kind, series=ids)
