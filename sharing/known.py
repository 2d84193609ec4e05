"""What the desk has found out about numbers and addresses, and which forms it has already sent: rows only.

No number stands here in clear or sealed beyond what a check needs: `KnownAddress` holds blind indexes.
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from portal.accounts.models import User
from portal.practice.models import Practice
from portal.records.models import Patient, Row
from portal.sealed.fields import BlindIndexField, SealedText


class KnownAddress(Row):
    """Whether an address is this patient's: read back at the desk, or known to be bad.

    It is about one patient and one address: a number that is wrong for one patient may be another's own.
    """

    class Trouble(models.TextChoices):
        WRONG_NUMBER = "wrong-number", "It is someone else's number"
        LOST_PHONE = "lost-phone", "The phone is lost or stolen"

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="known_addresses")
    address_index = BlindIndexField()
    verified_at = models.DateTimeField(null=True)
    verified_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    bad_at = models.DateTimeField(null=True)
    bad_because = models.CharField(max_length=16, choices=Trouble.choices, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["patient", "address_index"], name="known_address_once"),
            models.CheckConstraint(
                condition=Q(bad_at__isnull=True, bad_because="")
                | (Q(bad_at__isnull=False) & ~Q(bad_because="")),
                name="known_address_bad_because",
            ),
        ]


class ReadBack(Row):
    """A code texted to a number while the patient stands at the desk, who reads it back. Kept as a keyed hash."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="read_backs")
    address = SealedText()
    language = models.CharField(max_length=8)
    code_hmac = models.BinaryField(max_length=32, null=True)  # empty until the worker has made the code
    tries = models.PositiveSmallIntegerField(default=0)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=200, blank=True)
    consumed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(tries__lte=settings.CODE_TRIES_MAX), name="read_back_tries")
        ]


class SentForm(models.Model):
    """A share form that was sent: its key was drawn when the form was shown, so a second arrival finds its share."""

    key = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    share = models.OneToOneField("sharing.Share", null=True, on_delete=models.PROTECT, related_name="form")

    def __str__(self) -> str:
        return f"form {self.key}"
