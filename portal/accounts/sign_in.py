"""Signing in: a password, then a second factor, then a new session. Between the two nobody is signed in.

Who has given the password stands in the session as `pending` for ten minutes, which opens nothing but the page
for the second factor.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django_otp import login as otp_login
from django_otp.models import Device

from portal.accounts import passkeys, second_factor
from portal.accounts.addresses import client_address
from portal.accounts.known_browsers import known_browser, remember_browser
from portal.accounts.models import RecoveryDevice, TotpDevice, User
from portal.accounts.own_sessions import end_others
from portal.accounts.sessions import session_name
from portal.accounts.throttle import forget_failures, give_back, is_spent, take_try
from portal.accounts.unsent import flush_but_keep, sign_out_keeping
from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import AccessDenied, CodeRefused, SignInRequired

PROVED: Final = "proved"
"""In the session: when a second factor was given last, in seconds of the epoch."""
PENDING_FOR: Final = timedelta(minutes=10)
REFUSED: Final = "E-mail or password is wrong. Please check both and try again."
CODE_REFUSED: Final = (
    "This code is wrong or was used before. Wait for the next one in your app and try again."
)


def check_password(request: HttpRequest, *, email: str, password: str, next_page: str = "") -> User:
    """Take e-mail and password; the user then owes the second factor.

    Raises `CodeRefused` with the same words for an unknown account and a wrong password (the hash is computed
    either way), `LimitReached` after too many tries.
    """
    address, browser = client_address(request), known_browser(request, email)
    take_try(email, address, browser=browser)
    user = authenticate(request, username=email, password=password)
    if not isinstance(user, User):
        is_last = is_spent(email, address, browser=browser)
        known = User.objects.filter(email=email.strip().lower()).first()
        _note_refusal(request, known, "password", is_last=is_last)
        raise CodeRefused(REFUSED)
    give_back(email, address, browser=browser)
    await_second_factor(request, user, next_page=next_page)
    return user


def await_second_factor(request: HttpRequest, user: User, *, next_page: str = "") -> None:
    """The password was right, or was chosen just now: the browser may go on to the second factor."""
    flush_but_keep(request.session)
    request.session["pending"] = {
        "user": str(user.pk),
        "until": (now() + PENDING_FOR).timestamp(),
        "next": next_page if is_ours(next_page) else "",
    }
    if not second_factor.is_enrolled(user):
        second_factor.begin_enrolment(user)


def pending_user(request: HttpRequest) -> User:
    """Who has given their password and owes the second factor. Raises `SignInRequired` when nobody does."""
    pending = request.session.get("pending")
    if not pending or pending["until"] < now().timestamp():
        raise SignInRequired
    user = User.objects.filter(pk=pending["user"], is_active=True).first()
    if user is None:
        raise SignInRequired
    return user


def give_code(request: HttpRequest, user: User, code: str) -> Device:
    """Take the second factor and sign the user in.

    Raises `CodeRefused`, or `LimitReached` after too many tries.
    """
    return _take_second(request, user, lambda: second_factor.check_code(user, code), refusal=CODE_REFUSED)


def give_passkey(request: HttpRequest, user: User, given: Any) -> Device:
    """Take a passkey as the second factor and sign the user in. Raises like `give_code`."""
    return _take_second(
        request, user, lambda: passkeys.check_proof(request, user, given), refusal=passkeys.REFUSED
    )


def _take_second(
    request: HttpRequest, user: User, check: Callable[[], Device | None], *, refusal: str
) -> Device:
    # A count of its own: who only knows the password must not be helped by its being right.
    account, address, browser = f"code:{user.pk}", client_address(request), known_browser(request, user.email)
    take_try(account, address, browser=browser)
    device = check()
    if device is None:
        _note_refusal(request, user, "second-factor", is_last=is_spent(account, address, browser=browser))
        raise CodeRefused(refusal)
    give_back(account, address, browser=browser)
    forget_failures(account, browser=browser)
    forget_failures(user.email, browser=browser)
    start_session(request, user, device)
    return device


def give_first_code(request: HttpRequest, user: User, code: str) -> list[str]:
    """Take the first code of a new authenticator: it is the user's now, who is signed in.

    Returns the recovery codes, to be shown once. Raises `CodeRefused`, `LimitReached`.
    """
    account, address = f"code:{user.pk}", client_address(request)
    take_try(account, address)
    with transaction.atomic():
        device = second_factor.confirm_enrolment(user, code)
        if device is None:
            raise CodeRefused(CODE_REFUSED)
        give_back(account, address)
        codes = second_factor.make_recovery_codes(user)
        start_session(request, user, device)
        trail.record(
            "staff.second-factor-enrolled", actor=_actor(request, user, "totp"), subject=str(user.pk)
        )
    return codes


def renew_recovery_codes(request: HttpRequest, user: User, code: str, *, actor: Actor) -> list[str]:
    """A new sheet of recovery codes, against a fresh code of the app. Raises `CodeRefused`, `LimitReached`."""
    account, address = f"code:{user.pk}", client_address(request)
    take_try(account, address)
    if not isinstance(second_factor.check_code(user, code), TotpDevice):
        raise CodeRefused(CODE_REFUSED)
    give_back(account, address)
    with transaction.atomic():
        trail.record("staff.recovery-codes-made", actor=actor)
        return second_factor.make_recovery_codes(user)


def change_password(request: HttpRequest, user: User, *, current: str, new: str, actor: Actor) -> None:
    """Give the user another password and sign them out everywhere else.

    Raises `CodeRefused` for a wrong current password, `LimitReached` after too many tries.
    """
    account, address = f"password:{user.pk}", client_address(request)
    take_try(account, address)
    if not user.check_password(current):
        raise CodeRefused("This is not your password now. Please type it again.")
    give_back(account, address)
    with transaction.atomic():
        user.set_password(new)
        user.save(update_fields=["password"])
        end_others(user, actor=actor)
        update_session_auth_hash(request, user)
        trail.record("staff.password-changed", actor=actor)


@transaction.atomic
def start_session(request: HttpRequest, user: User, device: Device) -> None:
    """A session under a new key, with its start noted. Raises `AccessDenied` for a user without a practice."""
    membership = user.memberships.filter(is_active=True).order_by("pk").first()
    if membership is None:
        raise AccessDenied("Your account belongs to no practice any more. Ask the practice owner.")
    request.session.pop("pending", None)
    login(request, user)
    otp_login(request, device)
    remember_browser(request, user)
    moment = now().timestamp()
    request.session.update(
        {
            "started": moment,
            "seen": moment,
            PROVED: moment,
            "practice": str(membership.practice_id),
            "address": client_address(request),
            "method": _METHODS.get(type(device), "passkey"),
        }
    )
    actor = _actor(request, user, request.session["method"])
    is_recovery = isinstance(device, RecoveryDevice)
    trail.record("staff.recovery-code-used" if is_recovery else "staff.signed-in", actor=actor)


_METHODS: Final = {TotpDevice: "totp", RecoveryDevice: "recovery-code"}


@transaction.atomic
def end_idle_session(request: HttpRequest, *, actor: Actor) -> None:
    """Sign out whose page has idled out; what stood in its form waits for them."""
    trail.record("staff.signed-out", actor=actor, was_idle=True)
    sign_out_keeping(request)


@transaction.atomic
def end_session(request: HttpRequest, *, actor: Actor) -> None:
    """Sign out."""
    trail.record("staff.signed-out", actor=actor)
    logout(request)


def _note_refusal(request: HttpRequest, user: User | None, method: str, *, is_last: bool = False) -> None:
    """A refused sign-in of someone known stands in their practice's trail; the last before the wait says so."""
    if user and user.memberships.filter(is_active=True).exists():
        code = "staff.sign-in-locked" if is_last else "staff.sign-in-refused"
        trail.record_alone(code, actor=_actor(request, user, method), outcome="refused")


def _actor(request: HttpRequest, user: User, method: str) -> Actor:
    membership = user.memberships.filter(is_active=True).order_by("pk")[:1].get()
    key = request.session.session_key
    return Actor(
        kind="staff",
        practice=membership.practice_id,
        id=user.pk,
        role=membership.role,
        label=user.name,
        session=session_name(key) if key else "",
        method=method,
        address=client_address(request),
    )


def is_ours(page: str) -> bool:
    """Whether a page to go on to is one of this site."""
    return page.startswith("/") and url_has_allowed_host_and_scheme(page, allowed_hosts=None)
