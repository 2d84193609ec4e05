"""Shares that a recipient made of their own share: which came from which."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models

from portal.errors import InvalidInput

if TYPE_CHECKING:
    from sharing.models import Share


class Reshare(models.Model):
    """A patient passed images on to a dentist of their choice. It never outlives the share it came from."""

    share = models.OneToOneField(
        "sharing.Share", primary_key=True, on_delete=models.PROTECT, related_name="reshare"
    )
    parent = models.ForeignKey("sharing.Share", on_delete=models.PROTECT, related_name="reshares")

    def __str__(self) -> str:
        return f"share {self.share_id} from {self.parent_id}"


def check_parent(share: Share, expires_at: datetime) -> None:
    """Before a share goes on until `expires_at`: raises `InvalidInput` beyond the patient's own share."""
    passed_on = Reshare.objects.filter(share=share).select_related("parent").first()
    if passed_on is None:
        return
    parent = passed_on.parent
    if parent.revoked_at is not None or expires_at > parent.expires_at:
        raise InvalidInput(
            "The patient passed this on, so it can't last longer than the patient's own link.",
            field="expires_at",
        )
