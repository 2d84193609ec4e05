"""The trail's rows: a hash chain per practice that the database itself refuses to change, and its checkpoints."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class AuditEntry(models.Model):
    """One entry of a practice's chain.

    `event` holds the exact bytes that are hashed (canonical JSON; names and addresses in it are sealed):

        hash[n] = SHA-256("scanpass/audit/1" ‖ practice (16) ‖ u64 n ‖ hash[n-1] ‖ SHA-256(event))

    The other columns repeat parts of `event` to search by; `verify` compares them.
    """

    id = models.BigAutoField(primary_key=True)
    practice_id = models.UUIDField()
    n = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    code = models.CharField(max_length=40)
    outcome = models.CharField(max_length=10)
    actor_id = models.UUIDField(null=True)
    patient_id = models.UUIDField(null=True)
    study_id = models.UUIDField(null=True)
    share_id = models.UUIDField(null=True)
    event = models.BinaryField()
    previous = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["practice_id", "n"], name="audit_entry_n")]
        indexes: ClassVar = [
            models.Index(fields=["practice_id", "patient_id"], name="audit_patient"),
            models.Index(fields=["practice_id", "share_id"], name="audit_share"),
            models.Index(fields=["practice_id", "code", "at"], name="audit_code"),
        ]

    def __str__(self) -> str:
        return f"entry {self.n} of {self.practice_id}: {self.code}"


class AuditHead(models.Model):
    """Where a practice's chain stands. It only makes appending fast: `verify` never believes it alone."""

    practice_id = models.UUIDField(primary_key=True)
    n = models.PositiveBigIntegerField(default=0)
    hash = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return f"head of {self.practice_id} at {self.n}"


class Checkpoint(models.Model):
    """A signed note of where all chains stood (`checkpoint_text`); the copies that count lie elsewhere."""

    sequence = models.PositiveBigIntegerField(primary_key=True)
    at = models.DateTimeField()
    # Of all chains together, so that the next one is due after so many more.
    entries = models.PositiveBigIntegerField()
    note = models.TextField()

    def __str__(self) -> str:
        return f"checkpoint {self.sequence}"


class CheckpointPlace(models.Model):
    """How far one place outside has been given the checkpoints, or a collector the entries of one chain.

    A place that was away catches up from here.
    """

    name = models.CharField(max_length=200, primary_key=True)
    sequence = models.PositiveBigIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"a place for checkpoints, given up to {self.sequence}"
