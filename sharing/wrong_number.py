"""The message went to someone else: end the share, remember that the number is wrong, say who got what.

What was released is told by `sharing.evidence`; the corrected share is a new one, for the record keeps both.

Source: 45 CFR 164.402 (the risk assessment asks whether protected health information was acquired or viewed).
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import Conflict, InvalidInput, NotFound
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent, Series
from portal.records.patients import forget_contact
from sharing.addresses import address_for
from sharing.issue import issue
from sharing.known import KnownAddress
from sharing.models import Share
from sharing.revoke import revoke
from sharing.standing import mark_bad


def report_wrong_number(share: Share, *, actor: Actor) -> int:
    """End the share and mark its number as someone else's for this patient; a share that has ended is marked too.

    Whatever else of this patient went to the number ends with it; returns how many others did.
    Raises `Conflict` when it was reported before.
    """
    if share.practice_id != actor.practice:
        raise NotFound
    with transaction.atomic():
        locked = Share.objects.select_for_update().get(pk=share.pk)
        if was_wrong(locked):
            raise Conflict("This was already reported as a wrong number.")
        index = bytes(locked.address_index)
        others = _living_with(locked, index)
        for one in (locked, *others):
            _end_as_wrong(one, actor)
        mark_bad(share.practice_id, share.patient_id, index, KnownAddress.Trouble.WRONG_NUMBER)
        forget_contact(share.patient, locked.address)
    return len(others)


def _living_with(share: Share, index: bytes) -> list[Share]:
    same = Share.objects.filter(patient_id=share.patient_id, address_index=index, revoked_at=None)
    return list(same.filter(expires_at__gt=now()).exclude(pk=share.pk).order_by("pk").select_for_update())


def _end_as_wrong(share: Share, actor: Actor) -> None:
    if share.revoked_at is None:
        revoke(share, actor=actor)
    trail.record(
        "share.wrong-number",
        actor=actor,
        patient=share.patient_id,
        share=share.pk,
        private={"to": share.address},
    )
    note(share.disclosure_id, DisclosureEvent.Kind.WRONG_NUMBER)


def was_wrong(share: Share) -> bool:
    """Whether the share was reported as sent to a wrong number."""
    return share.disclosure.events.filter(kind=DisclosureEvent.Kind.WRONG_NUMBER).exists()


def send_corrected(share: Share, *, channel: str, address: str, actor: Actor) -> Share:
    """The same images for the same person on the same terms, to the right number: a new share with its own record.

    Raises `InvalidInput` for the wrong number again, `Conflict` before the wrong number was reported.
    """
    if share.practice_id != actor.practice:
        raise NotFound
    if not was_wrong(share):
        raise Conflict("Report the wrong number first.")
    address = address_for(channel, address)
    if address == share.address:
        raise InvalidInput(
            "This is the wrong number again. Ask the patient for the right one.", field="address"
        )
    disclosure = share.disclosure
    return issue(
        share.patient,
        series=list(Series.objects.filter(pk__in=share.shared_series.values("series_id"))),
        recipient_kind=disclosure.recipient_kind,
        recipient_name=disclosure.recipient_name,
        channel=channel,
        address=address,
        language=share.language,
        purpose=disclosure.purpose,
        consent=disclosure.consent,
        allows_download=share.allows_download,
        expires_at=now() + timedelta(days=share.practice.share_default_days),
        actor=actor,
    )
