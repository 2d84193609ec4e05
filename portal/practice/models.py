"""The covered entity: practices, who works in them, and the business associates they have agreements with."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

from portal.accounts.models import Role, User
from portal.sealed.fields import SealedBytes, SealedText


class Practice(models.Model):
    """A dental practice (45 CFR 160.103, covered entity)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80)
    # Shown to patients on every page, so that nobody is ever at a dead end.
    phone = models.CharField(max_length=24)
    time_zone = models.CharField(max_length=64, default="America/New_York")
    language = models.CharField(max_length=8, default="en")
    share_default_days = models.PositiveSmallIntegerField(default=settings.SHARE_DEFAULT_DAYS)
    share_max_days = models.PositiveSmallIntegerField(default=settings.SHARE_MAX_DAYS)
    # Whether a dentist's link may go to a mailbox that several people read, like office@….
    allows_shared_mailboxes = models.BooleanField(default=True)
    # How long images are kept after the patient's last; none: until somebody decides. State law says how long.
    keep_years = models.PositiveSmallIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(share_max_days__gte=1, share_max_days__lte=settings.SHARE_MAX_DAYS),
                name="practice_share_max_days",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    share_default_days__gte=1, share_default_days__lte=models.F("share_max_days")
                ),
                name="practice_share_default_days",
            ),
            # Less than six years would contradict what HIPAA asks of the documents about them.
            models.CheckConstraint(
                condition=models.Q(keep_years=None) | models.Q(keep_years__gte=6, keep_years__lte=100),
                name="practice_keep_years",
            ),
        ]

    def __str__(self) -> str:
        return f"practice {self.pk}"


class Location(models.Model):
    """A place where a practice sees patients."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="locations")
    name = models.CharField(max_length=80)

    def __str__(self) -> str:
        return f"location {self.pk}"


class Membership(models.Model):
    """A user's role in a practice."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["practice", "user"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role"),
        ]

    def __str__(self) -> str:
        return f"membership {self.pk}"


class Invitation(models.Model):
    """The one-time link with which a new member of staff chooses their password; a newer one replaces it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership = models.OneToOneField(Membership, on_delete=models.PROTECT, related_name="invitation")
    token_hmac = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"invitation {self.pk}"


class BusinessAssociate(models.Model):
    """A vendor that handles protected health information for the practice (45 CFR 164.308(b))."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="business_associates")
    name = models.CharField(max_length=120)
    # Which outbound adapter it stands behind: a gateway's, a store's or a provider's name.
    adapter = models.CharField(max_length=40)
    contact = SealedText(null=True)
    # The questions a practice must be able to answer of each vendor, beside the agreement itself.
    stored_where = models.CharField(max_length=500, blank=True, default="")
    encryption = models.CharField(max_length=500, blank=True, default="")
    access_controls = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["practice", "adapter"], name="associate_adapter")
        ]

    def __str__(self) -> str:
        return f"business associate {self.pk}"


class Agreement(models.Model):
    """A signed business associate agreement and the days it is in force."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    associate = models.ForeignKey(BusinessAssociate, on_delete=models.PROTECT, related_name="agreements")
    signed_on = models.DateField()
    starts_on = models.DateField()
    ends_on = models.DateField()
    # The first day on which it no longer holds, where it was ended early.
    terminated_on = models.DateField(null=True)
    # The days above once more, and for whom they were agreed: `terms.py` says why.
    terms = SealedText(null=True)
    document = SealedBytes(null=True)
    document_sha256 = models.CharField(max_length=64, blank=True, default="")
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(null=True)
    # The last of the warnings (60, 30, 7, 0 days; -1: changed outside) that was written into the trail.
    warned_at_days = models.SmallIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")), name="agreement_dates"
            )
        ]

    def __str__(self) -> str:
        return f"agreement {self.pk}"

    @property
    def practice_id(self) -> uuid.UUID:
        """Whose key seals the document."""
        return self.associate.practice_id
