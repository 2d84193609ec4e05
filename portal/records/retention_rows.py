"""How long images are kept: legal holds, and what has been said of images whose time ends."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from portal.accounts.models import User
from portal.records.models import Patient, Row, Study
from portal.sealed.fields import SealedText


class LegalHold(Row):
    """A court, a board or an insurer may ask for these images: nothing of the patient is destroyed meanwhile."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="legal_holds")
    reason = SealedText()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None)
                | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="legal_hold_lifted",
            )
        ]


class RetentionWarning(models.Model):
    """The last warning that was written of a study's end. Not the day: it would tell a child's birth date."""

    study = models.OneToOneField(Study, primary_key=True, on_delete=models.PROTECT, related_name="+")
    days = models.SmallIntegerField()

    def __str__(self) -> str:
        return f"retention warning of {self.study_id}"
