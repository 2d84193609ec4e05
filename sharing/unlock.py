"""Opening a share that locked itself: the desk has made sure who is on the other end."""

from __future__ import annotations

from django.db import transaction

from portal.audit import trail
from portal.audit.actor import Actor
from portal.errors import Conflict, NotFound
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent
from sharing.models import DeskTask, Share
from sharing.todo import close_tasks


def unlock(share: Share, *, actor: Actor) -> None:
    """Give the share all its tries back. Raises `Conflict` when it isn't locked or was revoked."""
    if share.practice_id != actor.practice:
        raise NotFound
    with transaction.atomic():
        if not Share.objects.filter(pk=share.pk, locked_at__isnull=False, revoked_at=None).update(
            locked_at=None, match_misses=0, code_failures=0
        ):
            raise Conflict("This link isn't locked.")
        for kind in (DeskTask.Kind.LOCKED, DeskTask.Kind.UNREQUESTED, DeskTask.Kind.RESTORED):
            close_tasks(share, kind)
        trail.record("share.unlocked", actor=actor, patient=share.patient_id, share=share.pk)
        note(share.disclosure_id, DisclosureEvent.Kind.UNLOCKED)
