"""What was done for the contingency plan, and how it ended (45 CFR 164.308(a)(7), documented by 164.316(b))."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models


class Run(models.Model):
    """One backup, restore, drill or scrub. It belongs to the installation; each practice's trail has its entry."""

    class Kind(models.TextChoices):
        BACKUP = "backup", "Backup"
        RESTORE = "restore", "Restore"
        DRILL = "drill", "Restore drill"
        SCRUB = "scrub", "Scrub"

    class Outcome(models.TextChoices):
        RUNNING = "running", "Running"
        OK = "ok", "Done"
        DAMAGED = "damaged", "Damage found"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.RUNNING)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    # What happened, for people; ids, counts, bytes and seconds in `facts`. No names.
    sentence = models.CharField(max_length=300, blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["kind", "outcome", "finished_at"], name="run_latest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.outcome}"
