"""The second factor: an authenticator app (TOTP), and a sheet of recovery codes for the day the phone is lost.

Both are django-otp devices. Each code opens once: what decides is one conditional UPDATE, never a read before it.

Source: RFC 6238 (TOTP), 5.2; NIST SP 800-63B-4, 3.1.4 (single-factor one-time passwords) and 4.2 (recovery codes).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from typing import Final
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import transaction
from django_otp import verify_token
from django_otp.models import Device
from django_otp.oath import hotp
from django_otp_webauthn.models import WebAuthnCredential

from portal.accounts.models import RecoveryCode, RecoveryDevice, TotpDevice, User
from portal.clock import now
from portal.sealed.keys import installation_key

STEP_S: Final = 30
DRIFT: Final = (0, -1, 1)  # steps either side: clocks of phones wander
SECRET_BYTES: Final = 20  # RFC 4226, 4 (R6)
RECOVERY_CODES: Final = 10
RECOVERY_CODE_BYTES: Final = 10  # 80 bits: sixteen letters of base32, beyond any guessing


def check_code(user: User, code: str) -> Device | None:
    """The device that took the code: the user's authenticator for six digits, else their recovery sheet."""
    digits = _plain(code)
    kind = TotpDevice if re.fullmatch(r"[0-9]{6}", digits) else RecoveryDevice
    device = kind.objects.filter(user=user, confirmed=True).first()
    # django-otp looks the device up again under a lock and asks it; `accept_*` below answers.
    return verify_token(user, device.persistent_id, digits) if device else None


def accept_totp(device: TotpDevice, token: str) -> bool:
    """Whether the six digits are right for now and for a step not used before; uses that step up."""
    if not re.fullmatch(r"[0-9]{6}", token):
        return False
    current = int(now().timestamp()) // STEP_S
    secret = bytes.fromhex(device.secret)
    for step in (current + drift for drift in DRIFT):
        if hmac.compare_digest(f"{hotp(secret, step):06d}", token):
            unused = TotpDevice.objects.filter(pk=device.pk, last_step__lt=step)
            return unused.update(last_step=step) == 1
    return False


def accept_recovery_code(device: RecoveryDevice, token: str) -> bool:
    """Whether the code is on the sheet and unused; strikes it out."""
    unused = RecoveryCode.objects.filter(device=device, code_hmac=_recovery_hmac(device, token), used_at=None)
    return unused.update(used_at=now()) == 1


# --- enrolment -----------------------------------------------------------------------------------------------------


def is_enrolled(user: User) -> bool:
    """Whether the user has an authenticator that has proved itself once."""
    return TotpDevice.objects.filter(user=user, confirmed=True).exists()


@transaction.atomic
def begin_enrolment(user: User) -> TotpDevice:
    """A fresh, unconfirmed authenticator; one from an earlier, broken-off attempt is thrown away."""
    TotpDevice.objects.filter(user=user, confirmed=False).delete()
    secret = secrets.token_bytes(SECRET_BYTES).hex()
    return TotpDevice.objects.create(user=user, name="authenticator", confirmed=False, secret=secret)


def pending_enrolment(user: User) -> TotpDevice:
    """The authenticator being set up, or a fresh one."""
    device = TotpDevice.objects.filter(user=user, confirmed=False).first()
    return device or begin_enrolment(user)


@transaction.atomic
def confirm_enrolment(user: User, code: str) -> TotpDevice | None:
    """Make the pending authenticator the user's own if the code is right; a user has at most one."""
    device = TotpDevice.objects.filter(user=user, confirmed=False).first()
    if device is None or is_enrolled(user) or not accept_totp(device, _plain(code)):
        return None
    confirmed = TotpDevice.objects.filter(pk=device.pk, confirmed=False).update(confirmed=True)
    device.confirmed = True
    return device if confirmed else None


@transaction.atomic
def make_recovery_codes(user: User) -> list[str]:
    """A new sheet of ten codes in groups of four letters; the old sheet is dead. They are shown once."""
    RecoveryDevice.objects.filter(user=user).delete()
    device = RecoveryDevice.objects.create(user=user, name="recovery codes", confirmed=True)
    codes = [_new_recovery_code() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(device=device, code_hmac=_recovery_hmac(device, _plain(code))) for code in codes
    )
    return codes


def recovery_codes_left(user: User) -> int:
    """How many codes of the user's sheet are unused."""
    return RecoveryCode.objects.filter(device__user=user, device__confirmed=True, used_at=None).count()


@transaction.atomic
def forget_second_factor(user: User) -> int:
    """Delete the user's authenticator, recovery codes and passkeys: the next sign-in sets up a new one.

    Returns how many confirmed authenticators there were.
    """
    RecoveryDevice.objects.filter(user=user).delete()
    WebAuthnCredential.objects.filter(user=user).delete()  # the lost phone may hold them
    confirmed = TotpDevice.objects.filter(user=user, confirmed=True).count()
    TotpDevice.objects.filter(user=user).delete()
    return confirmed


# --- forms of a secret ---------------------------------------------------------------------------------------------


def secret_base32(device: TotpDevice) -> str:
    """The secret as authenticator apps take it."""
    return base64.b32encode(bytes.fromhex(device.secret)).decode()


def otpauth_uri(device: TotpDevice) -> str:
    """What the QR code says (the otpauth key URI format)."""
    issuer = settings.OTP_TOTP_ISSUER
    query = urlencode({"secret": secret_base32(device), "issuer": issuer, "digits": 6, "period": STEP_S})
    return f"otpauth://totp/{quote(f'{issuer}:{device.user.email}')}?{query}"


def groups_of_four(text: str) -> str:
    """`ABCDEFGH` as `ABCD EFGH`: what people copy without losing their place."""
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def _new_recovery_code() -> str:
    return groups_of_four(base64.b32encode(secrets.token_bytes(RECOVERY_CODE_BYTES)).decode())


def _plain(code: str) -> str:
    """What was typed, without the spaces and dashes people put between groups."""
    return re.sub(r"[\s-]", "", code).upper()


def _recovery_hmac(device: RecoveryDevice, code: str) -> bytes:
    key = installation_key("otp", "recovery")
    return hmac.new(key, f"{device.pk}:{code}".encode(), hashlib.sha256).digest()
