"""Destroying a study for good: one asks, another agrees, and a certificate stays."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from portal.accounts.models import User
from portal.records.models import Row, Study
from portal.sealed.fields import SealedJSON, SealedText


class Shredding(Row):
    """A wish to destroy a study's key, and what became of it. Never by one person alone."""

    class State(models.TextChoices):
        ASKED = "asked", "Waits for a second person"
        WITHDRAWN = "withdrawn", "Withdrawn"
        DONE = "done", "Destroyed"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="shreddings")
    reason = SealedText()
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    # What the certificate says, as it was at that moment.
    certificate = SealedJSON(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["study"], condition=~Q(state="withdrawn"), name="shredding_once"),
            models.CheckConstraint(
                condition=Q(state="asked", decided_by=None)
                | Q(state="withdrawn", decided_by__isnull=False)
                | (Q(state="done", decided_by__isnull=False) & ~Q(decided_by=F("asked_by"))),
                name="shredding_two_people",
            ),
        ]
