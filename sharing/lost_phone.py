"""A lost or stolen phone: everything of its number dies at once, for every patient of the practice who shares it."""

from __future__ import annotations

from django.db import transaction

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import NotFound
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent
from sharing.dead_links import kill_link
from sharing.known import KnownAddress
from sharing.models import Share
from sharing.standing import mark_bad


def report_lost_phone(share: Share, *, actor: Actor) -> int:
    """End every session and link that went to this share's number; returns how many shares it met.

    The shares themselves go on: with a number that was read back at the desk they get a new link.
    Families share phones, so it holds for every patient of the practice with a share to this number.
    """
    if share.practice_id != actor.practice:
        raise NotFound
    index, moment = bytes(share.address_index), now()
    with transaction.atomic():
        of_number = Share.objects.filter(practice_id=share.practice_id, address_index=index)
        met = list(of_number.filter(revoked_at=None, expires_at__gt=moment).select_for_update())
        for patient_id in set(of_number.values_list("patient_id", flat=True)):
            mark_bad(share.practice_id, patient_id, index, KnownAddress.Trouble.LOST_PHONE)
        for one in met:
            sessions = kill_link(one, moment)
            trail.record(
                "share.lost-phone", actor=actor, patient=one.patient_id, share=one.pk, sessions=sessions
            )
            note(one.disclosure_id, DisclosureEvent.Kind.LOST_PHONE)
        if not met:
            trail.record("share.lost-phone", actor=actor, patient=share.patient_id, share=share.pk)
    return len(met)
