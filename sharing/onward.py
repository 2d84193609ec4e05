"""Shares that a recipient made of their own share: which came from which."""

from __future__ import annotations

from django.db import models


class Reshare(models.Model):
    """A patient passed images on to a dentist of their choice. It never outlives the share it came from."""

    share = models.OneToOneField(
        "sharing.Share", primary_key=True, on_delete=models.PROTECT, related_name="reshare"
    )
    parent = models.ForeignKey("sharing.Share", on_delete=models.PROTECT, related_name="reshares")

    def __str__(self) -> str:
        return f"share {self.share_id} from {self.parent_id}"
