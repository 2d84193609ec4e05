"""A patient passes images on to a dentist of their choice: a share of its own, inside the bounds of theirs.

Never more than was shared with them, never longer, never with a download they don't have. The dentist is verified by
a code like any other; the practice's record says that the patient sent it; it ends with the patient's own share.

Source: 45 CFR 164.524(c)(3)(ii), 164.528(a)(1)(iv) (disclosures by the individual's authorization).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import AccessDenied, Conflict, InvalidInput, NotFound
from portal.records.holds import Held
from portal.records.models import Disclosure, Series
from sharing import limits
from sharing.grants import ShareEnded
from sharing.issue import issue
from sharing.liveness import live
from sharing.models import Channel, Share
from sharing.onward import Reshare
from sharing.revoke import revoke

DAYS: Final = (1, 7, 14, 30)
LIVE_MAX: Final = 5


def pass_on(
    parent: Share,
    *,
    studies: Collection[uuid.UUID],
    name: str,
    address: str,
    days: int,
    allows_download: bool,
    actor: Actor,
) -> Share:
    """Share some of the parent's studies with a dentist, for some days and never longer than the parent lives.

    Raises `InvalidInput` (with `field`), `AccessDenied` for a dentist's own share, `LimitReached`, `ShareEnded`.
    """
    if parent.disclosure.recipient_kind == Disclosure.Recipient.DENTIST:
        raise AccessDenied
    if allows_download and not parent.allows_download:
        raise InvalidInput(_("Your own link is for viewing, so this one is too."), field="allows_download")
    series = _chosen(parent, studies)
    with transaction.atomic():
        # The lock lets one request in at a time, so that the number of live ones is counted exactly.
        alive = Share.objects.select_for_update().filter(live(now()), pk=parent.pk).first()
        if alive is None:
            raise ShareEnded
        _check_count(parent)
        limits.take(limits.PASSED_ON_DAY, str(parent.pk))
        share = _issued(alive, series, name, address, _until(alive, days), allows_download, actor)
        Reshare.objects.create(share=share, parent=parent)
        trail.record(
            "share.passed-on", actor=actor, patient=parent.patient_id, share=parent.pk, made=str(share.pk)
        )
    return share


def _chosen(parent: Share, studies: Collection[uuid.UUID]) -> list[Series]:
    shared = parent.shared_series.values("series_id")
    chosen = Series.objects.filter(pk__in=shared, study_id__in=set(studies)).select_related("study")
    series = list(chosen.order_by("study_id", "position"))
    if not studies:
        raise InvalidInput(_("Choose at least one scan."), field="study")
    if len({one.study_id for one in series}) != len(set(studies)):
        raise NotFound
    return series


def _until(parent: Share, days: int) -> datetime:
    if days not in DAYS:
        raise InvalidInput(_("Choose one of the options."), field="days")
    return min(now() + timedelta(days=days), parent.expires_at)


def _check_count(parent: Share) -> None:
    if Share.objects.filter(live(now()), reshare__parent=parent).count() >= LIVE_MAX:
        raise InvalidInput(_("You have sent it to five dentists. End one of them first."), field="name")


def _issued(
    parent: Share,
    series: list[Series],
    name: str,
    address: str,
    expires_at: datetime,
    allows_download: bool,
    actor: Actor,
) -> Share:
    try:
        return issue(
            parent.patient,
            series=series,
            recipient_kind=Disclosure.Recipient.DENTIST,
            recipient_name=name,
            channel=Channel.EMAIL if "@" in address else Channel.TEXT,
            address=address,
            language=parent.practice.language,
            purpose=Disclosure.Purpose.SECOND_OPINION,
            consent=True,  # the patient sends it
            allows_download=allows_download,
            expires_at=expires_at,
            actor=actor,
        )
    except (Held, Conflict):
        # Why is between the practice and whoever placed the hold; the patient is told whom to call.
        raise InvalidInput(
            _("This can't be sent from here. Please call your dental office."), field="name"
        ) from None
    except InvalidInput as error:
        if error.details.get("field") != "address":
            raise
        raise InvalidInput(
            _("This is not an e-mail address or a mobile number. Please check it."), field="address"
        ) from None


def end_passed_on(parent: Share, share_id: uuid.UUID, *, actor: Actor) -> None:
    """End one of the shares that were made from this one. Raises `NotFound` for any other."""
    share = Share.objects.filter(reshare__parent=parent, pk=share_id).first()
    if share is None:
        raise NotFound
    revoke(share, actor=actor)
