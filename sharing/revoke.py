"""Ending a share now: its sessions die, and the next batch or 1 MiB is refused."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import Conflict, NotFound
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent
from sharing.models import DeskTask, Share
from sharing.sessions import end_all
from sharing.todo import close_tasks


def revoke(share: Share, *, actor: Actor) -> None:
    """End the share for good. Raises `Conflict` when it was revoked already."""
    if share.practice_id != actor.practice:
        raise NotFound
    moment = now()
    with transaction.atomic():
        if not Share.objects.filter(pk=share.pk, revoked_at=None).update(
            revoked_at=moment, revoked_by_id=actor.id if actor.kind == "staff" else None
        ):
            raise Conflict("This link has been revoked already.")
        sessions = end_all(share, moment)
        for kind in DeskTask.Kind.values:
            close_tasks(share, kind)
        trail.record(
            "share.revoked", actor=actor, patient=share.patient_id, share=share.pk, sessions=sessions
        )
        note(share.disclosure_id, DisclosureEvent.Kind.REVOKED, by=actor.kind)
        # What its recipient passed on rested on it.
        for passed_on in Share.objects.filter(reshare__parent=share, revoked_at=None):
            revoke(passed_on, actor=actor)


def revoke_many(ids: Sequence[uuid.UUID], *, actor: Actor) -> int:
    """End each of these shares; returns how many, for some may have been revoked in the meantime.

    Raises `NotFound`, and ends none, when one of them is another practice's.
    """
    if actor.practice is None:
        raise NotFound
    shares = list(Share.objects.filter(practice_id=actor.practice, pk__in=ids))
    if len(shares) != len(set(ids)):
        raise NotFound
    ended = 0
    for share in shares:
        try:
            revoke(share, actor=actor)
        except Conflict:
            continue
        ended += 1
    return ended
