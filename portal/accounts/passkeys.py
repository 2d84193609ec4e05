"""Passkeys as the second factor: nothing to type, and nothing that a forged sign-in page could take.

django-otp-webauthn keeps the credentials and checks the signatures; the addresses, the limits and the trail are ours.
Each challenge stands in the session, works once and for five minutes. The device must check who holds it (finger,
face or PIN). The authenticator app stays: a passkey is added to it, never instead of it.

Source: W3C Web Authentication level 3, 7.1 and 7.2; NIST SP 800-63B-4, 3.1.7 (multi-factor cryptographic).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django_otp_webauthn.exceptions import OTPWebAuthnApiError
from django_otp_webauthn.helpers import WebAuthnHelper
from django_otp_webauthn.models import WebAuthnCredential
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AuthenticatorSelectionCriteria, UserVerificationRequirement

from portal.accounts.models import User
from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import CodeRefused, Conflict, InvalidInput, NotFound

ASKED_FOR: Final = timedelta(minutes=5)
NAME_CHARS_MAX: Final = 60
PASSKEYS_MAX: Final = 10
REFUSED: Final = "This passkey was not accepted. Try again, or type the code of your app."


class Ceremony(WebAuthnHelper):
    """The exchange with the browser, for the address this installation is reached at."""

    def get_relying_party_domain(self) -> str:
        return urlsplit(settings.PUBLIC_BASE_URL).hostname or ""

    def get_allowed_origins(self) -> list[str]:
        return [settings.PUBLIC_BASE_URL]

    def get_credential_display_name(self, user: User) -> str:
        return user.name

    def get_generate_registration_options_kwargs(self, *, user: User) -> dict[str, Any]:
        options: dict[str, Any] = super().get_generate_registration_options_kwargs(user=user)
        asked: AuthenticatorSelectionCriteria = options["authenticator_selection"]
        asked.user_verification = UserVerificationRequirement.REQUIRED
        return options

    def create_attestation(self, *args: Any) -> None:
        """Not kept: who made the device is no question of ours."""


def passkeys_of(user: User) -> list[WebAuthnCredential]:
    """The user's passkeys, the newest first."""
    return list(WebAuthnCredential.objects.filter(user=user, confirmed=True).order_by("-created_at"))


def has_passkey(user: User) -> bool:
    """Whether the user may sign in with one."""
    return WebAuthnCredential.objects.filter(user=user, confirmed=True).exists()


# --- a new one -----------------------------------------------------------------------------------------------------


def begin_adding(request: HttpRequest, user: User) -> dict[str, Any]:
    """What the browser needs to make a passkey. Raises `Conflict` when there are enough."""
    if WebAuthnCredential.objects.filter(user=user).count() >= PASSKEYS_MAX:
        raise Conflict("You have ten passkeys. Remove one that you no longer use.")
    options, state = Ceremony(request).register_begin(user=user)
    return _asked(request, "add", options, state)


def add(request: HttpRequest, user: User, given: Any, *, name: str, actor: Actor) -> WebAuthnCredential:
    """Keep the passkey the browser made. Raises `InvalidInput` for its name, `CodeRefused` for all else."""
    name = " ".join(name.split())
    if not 0 < len(name) <= NAME_CHARS_MAX:
        raise InvalidInput("Give the passkey a name of at most 60 letters, so that you know it again.")
    state = _answered(request, "add")
    try:
        with transaction.atomic():
            made = Ceremony(request).register_complete(user=user, state=state, data=given)
            WebAuthnCredential.objects.filter(pk=made.pk).update(name=name)
            trail.record("staff.passkey-added", actor=actor, private={"name": name})
    except _REFUSALS as error:
        raise CodeRefused(REFUSED) from error
    return made


@transaction.atomic
def remove(user: User, passkey: int, *, actor: Actor) -> None:
    """Forget a passkey of the user. Raises `NotFound` for anybody else's."""
    found = WebAuthnCredential.objects.filter(user=user, pk=passkey).first()
    if found is None:
        raise NotFound
    trail.record("staff.passkey-removed", actor=actor, private={"name": found.name})
    found.delete()


# --- using one -----------------------------------------------------------------------------------------------------


def begin_proof(request: HttpRequest, user: User) -> dict[str, Any]:
    """What the browser needs to use one of the user's passkeys. Raises `NotFound` when there is none."""
    if not has_passkey(user):
        raise NotFound
    options, state = Ceremony(request).authenticate_begin(user=user, require_user_verification=True)
    return _asked(request, f"proof:{user.pk}", options, state)


def check_proof(request: HttpRequest, user: User, given: Any) -> WebAuthnCredential | None:
    """The passkey that signed the challenge, or None. The challenge is used up either way."""
    try:
        state = _answered(request, f"proof:{user.pk}")
        found = Ceremony(request).authenticate_complete(user=user, state=state, data=given)
    except (CodeRefused, *_REFUSALS):
        return None
    return found if found.confirmed else None


# What the two packages raise about an answer; the rest is what a made-up one does to their parsers.
_REFUSALS: Final = (WebAuthnException, OTPWebAuthnApiError, ValueError, KeyError, TypeError, AttributeError)


def _asked(request: HttpRequest, for_what: str, options: dict[str, Any], state: Any) -> dict[str, Any]:
    until = (now() + ASKED_FOR).timestamp()
    request.session["passkey"] = {"for": for_what, "state": state, "until": until}
    return options


def _answered(request: HttpRequest, for_what: str) -> Any:
    """What was asked, once. Saved at once, so that nothing that fails later brings the challenge back."""
    asked = request.session.pop("passkey", None)
    request.session.save()
    if not asked or asked["for"] != for_what or asked["until"] < now().timestamp():
        raise CodeRefused("That took too long. Please try again.")
    return asked["state"]
