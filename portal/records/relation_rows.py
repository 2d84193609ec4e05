"""Breaking the glass: somebody opened images of a patient they had nothing to do with, and said why."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from portal.accounts.models import User
from portal.records.models import Patient, Row
from portal.sealed.fields import SealedText


class BrokenGlass(Row):
    """A reason that was given, and until when it opens this patient's images to this member of staff."""

    class Why(models.TextChoices):
        UNRELATED = "unrelated", "Nothing connects them with this patient lately"
        RESTRICTED = "restricted", "The patient is restricted"

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    why = models.CharField(max_length=12, choices=Why.choices)
    reason = SealedText()
    at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["patient", "user", "until"], name="broken_glass")]
