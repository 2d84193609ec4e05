"""What became of a message, in the trail: the same facts whatever it was, and never the address."""

from __future__ import annotations

from typing import Any

from portal.audit import trail
from portal.audit.actor import system
from sharing.models import Message


def record_message(code: str, message: Message, *, outcome: str = "ok", **facts: Any) -> None:
    """One entry about one message, in the caller's transaction."""
    share = message.share
    trail.record(
        code,
        actor=system(message.practice_id),
        outcome=outcome,
        patient=share.patient_id,
        share=share.pk,
        message=str(message.pk),
        kind=message.kind,
        **facts,
    )
