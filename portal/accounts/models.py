"""Who can act: users, their second factor and their recovery codes."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django_otp.models import Device

from portal.sealed.fields import SealedText


class Role(models.TextChoices):
    """What a member of staff is in a practice; `portal.accounts.permissions` says what each may do."""

    OWNER = "owner", "Owner"
    PRIVACY_OFFICER = "privacy_officer", "Privacy officer"
    CLINICIAN = "clinician", "Clinician"
    FRONT_DESK = "front_desk", "Front desk"
    REFERRING_DENTIST = "referring_dentist", "Referring dentist"


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None, *, name: str) -> User:
        """Make a user who signs in with `email`; folded to lower case, so that case never makes two.

        Without a password nobody signs in until one is chosen.
        """
        user = self.model(email=email.strip().lower(), name=name)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):  # type: ignore[django-manager-missing]  # django-otp's managers have no types
    """A person of the staff, or a referring dentist with an account. Patients are not users."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    last_login = None

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return f"user {self.pk}"


class TotpDevice(Device):
    """A user's authenticator app, as a django-otp device whose secret is sealed.

    `last_step` is the last 30-second step that was accepted: a code opens once (RFC 6238, 5.2).
    """

    # django-otp looks devices up by a whole number, so the row's place in the seal has an id of its own.
    seal_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    secret = SealedText()
    last_step = models.BigIntegerField(default=-1)

    def __str__(self) -> str:
        return f"authenticator of {self.user_id}"

    def verify_token(self, token: str) -> bool:
        """Whether the code is right and unused; `portal.accounts.second_factor` does the work."""
        from portal.accounts.second_factor import accept_totp

        return accept_totp(self, token)


class RecoveryDevice(Device):
    """A user's sheet of ten recovery codes, as a django-otp device."""

    def __str__(self) -> str:
        return f"recovery codes of {self.user_id}"

    def verify_token(self, token: str) -> bool:
        """Whether the code is on the sheet and unused; using it strikes it out."""
        from portal.accounts.second_factor import accept_recovery_code

        return accept_recovery_code(self, token)


class RecoveryCode(models.Model):
    """One single-use code of 80 bits, kept as a keyed hash."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    device = models.ForeignKey(RecoveryDevice, on_delete=models.CASCADE, related_name="codes")
    code_hmac = models.BinaryField(max_length=32)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device", "code_hmac"], name="recovery_code_once")
        ]

    def __str__(self) -> str:
        return f"recovery code {self.pk}"


class SignInThrottle(models.Model):
    """Failed sign-ins of one account (or one network address), counted by one conditional UPDATE."""

    subject = models.CharField(max_length=64, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    window_ends_at = models.DateTimeField()

    def __str__(self) -> str:
        return "sign-in throttle"


class KnownBrowser(models.Model):
    """A browser in which the user once signed in completely: strangers' failures don't count against it.

    The browser's cookie holds a random name, this row its keyed hash. On a shared workstation one name has
    a row for each who signs in there.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="known_browsers")
    name_hmac = models.BinaryField(max_length=32)
    used_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "name_hmac"], name="known_browser_once")
        ]

    def __str__(self) -> str:
        return f"known browser of {self.user_id}"


class OwnerLink(models.Model):
    """The one-time link with which a new installation's owner sets up the practice."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token_hmac = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return "owner link"
