"""The first step: a link is opened by a tap. It shows who sent what kind of thing to whom, and nothing of the scan.

A link that has ended and one that never was answer alike, with the same work: both lead to the same page, which
names nobody and asks for the date of birth (`sharing.matching`).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from portal.audit import trail
from portal.clock import now
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent
from sharing import limits
from sharing.actors import recipient
from sharing.liveness import state_for_newcomer
from sharing.models import Share, ShareSession
from sharing.sessions import begin
from sharing.tokens import token_hmac


@dataclass(frozen=True, slots=True)
class Opened:
    """A link was opened: the session, its cookie's key, and whether the link lives."""

    session: ShareSession
    key: str
    is_live: bool


def open_link(token: str, *, address: str) -> Opened:
    """Begin a session for whoever holds the link. `address` is their network address.

    Raises `LimitReached` when one address opens links by the hundred.
    """
    with transaction.atomic():
        limits.take_from(limits.OPENS_HOUR, address)
        share = (
            Share.objects.select_related("practice", "patient", "disclosure")
            .filter(token_hmac=token_hmac(token))
            .first()
        )
        session, key = begin(share, ShareSession.Step.OPENED)
        is_live = share is not None and state_for_newcomer(share, now()) == "live"
        if share is not None and is_live:
            actor = recipient(share, session, address=address)
            # Robots that scan messages press buttons too: whoever hasn't answered yet is a visit, not an opening.
            trail.record("share.visited", actor=actor, patient=share.patient_id, share=share.pk)
            note(share.disclosure_id, DisclosureEvent.Kind.VISITED)
    return Opened(session, key, is_live)
