"""Destroying a study ends what still shows it: key, record and shares in one transaction."""

from __future__ import annotations

from django.db import transaction

from portal.audit.actor import Actor
from portal.clock import now
from portal.records import shredding
from portal.records.shredding_rows import Shredding
from sharing.models import Share
from sharing.revoke import revoke_many


def destroy(wish: Shredding, *, actor: Actor) -> Shredding:
    """Agree to the destruction: the key goes, and every share with images of the study ends. Raises as `shred` does."""
    with transaction.atomic():
        done = shredding.shred(wish, actor=actor)
        shares = Share.objects.filter(
            practice_id=wish.practice_id,
            shared_series__series__study_id=wish.study_id,
            revoked_at=None,
            expires_at__gt=now(),
        )
        revoke_many(list(shares.values_list("pk", flat=True).distinct()), actor=actor)
    return done
