"""The wrapped keys: one practice key a practice, one key slot a study. Only ciphertext of keys is stored.

Practices, patients and studies stand to the right of this package, so they are named here by id alone.
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models


class PracticeKey(models.Model):
    """A practice's 256-bit key, wrapped by a version of the key-encryption key (KEK).

    The installation itself has one too, under the nil UUID: link, code and session keys derive from it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice_id = models.UUIDField()
    version = models.PositiveIntegerField()
    kek_version = models.PositiveIntegerField()
    wrapped = models.BinaryField()
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["practice_id", "version"], name="practice_key_version"),
            models.UniqueConstraint(
                fields=["practice_id"], condition=models.Q(is_active=True), name="practice_key_one_active"
            ),
        ]

    def __str__(self) -> str:
        return f"practice key {self.practice_id} v{self.version}"


class StudyKey(models.Model):
    """The slot of a study's data-encryption key (DEK). Deleting the slot shreds the study.

    `id` is the DEK id that stands in every object's header. Uploads in progress and quarantined groups
    have a slot too: `study_id` is then theirs.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice_id = models.UUIDField()
    patient_id = models.UUIDField()
    study_id = models.UUIDField()
    generation = models.PositiveIntegerField(default=1)
    practice_key_version = models.PositiveIntegerField()
    wrapped = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["study_id", "generation"], name="study_key_generation"),
        ]

    def __str__(self) -> str:
        return f"study key {self.id}"
