"""The desk's "send now": a held message leaves at once, whatever the hour; it still needs its agreement."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import Conflict, NotFound
from portal.jobs.models import Job
from portal.jobs.queue import tell_broker
from sharing.in_order import take_share
from sharing.models import Message


def send_now(message: Message, *, actor: Actor) -> None:
    """Try a held message now instead of at its time. Raises `Conflict` for one that waits no more."""
    if message.practice_id != actor.practice:
        raise NotFound
    moment = now()
    with transaction.atomic():
        # The job first, as the worker does that holds a message: it is either held with its job or not yet held.
        jobs = Job.objects.select_for_update().filter(kind="send", subject_id=message.pk)
        waiting = [job.pk for job in jobs if job.state == Job.State.QUEUED]
        take_share(message.share_id)
        held = Message.objects.filter(pk=message.pk, state=Message.State.HELD)
        if not held.update(is_urgent=True, due_at=moment):
            raise Conflict("This message does not wait any more. Reload the page to see what became of it.")
        trail.record(
            "share.send-now",
            actor=actor,
            patient=message.share.patient_id,
            share=message.share_id,
            message=str(message.pk),
        )
        for job_id in waiting:
            Job.objects.filter(pk=job_id).update(not_before=moment)
            transaction.on_commit(partial(tell_broker, job_id), robust=True)
