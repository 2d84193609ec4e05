"""The demo's two invented practices and who works in them."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass

from portal.accounts.models import Role, TotpDevice, User
from portal.audit.actor import Actor, system
from portal.practice.models import Membership, Practice
from portal.practice.open_practice import add_staff, open_practice

PASSWORD_WORDS = ("calm", "river", "violet", "anchor", "maple", "cloud", "lantern", "harbor", "cedar", "opal")


@dataclass(frozen=True)
class Employee:
    """A member of the demo's staff; `password` and `totp_secret` (base32) are new in each demo."""

    user: User
    role: Role
    practice: Practice
    password: str
    totp_secret: str

    @property
    def facts(self) -> dict[str, str]:
        return {
            "email": self.user.email,
            "password": self.password,
            "totp_secret": self.totp_secret,
            "role": str(self.role),
            "practice": self.practice.name,
        }

    @property
    def actor(self) -> Actor:
        return Actor(
            kind="staff",
            practice=self.practice.pk,
            id=self.user.pk,
            role=str(self.role),
            label=self.user.name,
        )


SMILE = ("Smile Dental", "+1 206-555-0199", "smile.example")
BRIGHT = ("Bright Dental", "+1 206-555-0166", "bright.example")
SMILE_STAFF = (
    ("dana", "Dana Reyes", Role.FRONT_DESK),
    ("omar", "Omar Haddad", Role.OWNER),
    ("olga", "Olga Novak", Role.PRIVACY_OFFICER),
    ("clara", "Clara Lindqvist", Role.CLINICIAN),
)
BRIGHT_STAFF = (("mallory", "Mallory Frost", Role.FRONT_DESK),)


def open_with_staff(about: tuple[str, str, str], people: tuple[tuple[str, str, Role], ...]) -> list[Employee]:
    """Open one of the demo's practices and hire its people; the front desk comes first."""
    name, phone, domain = about
    practice = open_practice(name=name, phone=phone, time_zone="America/Los_Angeles")
    return [hire(practice, f"{short}@{domain}", full, role) for short, full, role in people]


def hire(practice: Practice, email: str, name: str, role: Role) -> Employee:
    """Add one member of staff whose authenticator is already enrolled, so that a script can sign in."""
    password = "-".join(secrets.choice(PASSWORD_WORDS) for _ in range(4)) + f"-{secrets.randbelow(90) + 10}"
    seed = secrets.token_bytes(20)
    user = User.objects.create_user(email, password, name=name)
    TotpDevice.objects.create(user=user, name="authenticator", confirmed=True, secret=seed.hex())
    add_staff(practice, user, role, actor=system(practice.pk))
    return Employee(user, role, practice, password, base64.b32encode(seed).decode())


def has_staff() -> bool:
    """Whether a demo was begun in this state directory."""
    return Membership.objects.exists()
