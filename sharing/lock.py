"""Locking a share after too many misses, and telling the desk: "wrong number?"."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from portal.audit import trail
from portal.audit.actor import Actor
from portal.audit.events import REFUSED
from portal.clock import now
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent
from sharing.models import DeskTask, Share
from sharing.todo import add_task


def lock(share: Share, *, actor: Actor, reason: str, task: str = DeskTask.Kind.LOCKED) -> bool:
    """Lock the share and give the desk its task, in the caller's transaction; False when it was locked already."""
    if not Share.objects.filter(pk=share.pk, locked_at=None).update(locked_at=now()):
        return False
    trail.record(
        "share.locked", actor=actor, outcome=REFUSED, patient=share.patient_id, share=share.pk, reason=reason
    )
    note(share.disclosure_id, DisclosureEvent.Kind.LOCKED, reason=reason)
    add_task(share, task)
    return True


def note_wrong_code(share: Share, *, actor: Actor) -> int:
    """Write a wrong code down; the share's last one locks it. Returns how many there were in the share's life."""
    with transaction.atomic():
        trail.record(
            "share.code-refused", actor=actor, outcome=REFUSED, patient=share.patient_id, share=share.pk
        )
        failures = Share.objects.values_list("code_failures", flat=True).get(pk=share.pk)
        if failures >= settings.CODE_FAILURES_MAX:
            lock(share, actor=actor, reason="code")
    return failures
