"""Step-up: what changes accounts, hands out a record or destroys one needs a code that was given just now.

A session lasts a working day and a screen may be left open; these pages ask who is there again.

Source: NIST SP 800-63B-4, 2.2.3 (reauthentication); OWASP ASVS 5.0, 7.5.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.urls import reverse

from portal.accounts import chairside, passkeys, second_factor
from portal.accounts.addresses import client_address
from portal.accounts.known_browsers import known_browser
from portal.accounts.models import TotpDevice, User
from portal.accounts.permissions import Action
from portal.accounts.sign_in import CODE_REFUSED, PROVED
from portal.accounts.throttle import give_back, take_try
from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import CodeRefused, FreshCodeRequired

NEEDS_A_FRESH_CODE: Final = frozenset({Action.MANAGE_STAFF, Action.ACCOUNT_DISCLOSURES, Action.SHRED})
FRESH_FOR: Final = timedelta(minutes=10)
# A form that was opened in time may be sent a while later: what was typed into it must not be lost.
FORM_OPEN_FOR: Final = timedelta(minutes=20)


def check_fresh(request: HttpRequest, action: Action) -> None:
    """Raise `FreshCodeRequired` when the action needs a code and the last one was given too long ago."""
    if action not in NEEDS_A_FRESH_CODE:
        return
    allowed = FRESH_FOR if request.method in {"GET", "HEAD"} else FRESH_FOR + FORM_OPEN_FOR
    if age_of_proof(request.session) > allowed:
        raise FreshCodeRequired(next=reverse("confirm"))


def require_fresh(request: HttpRequest, *, back: str = "") -> None:
    """Raise `FreshCodeRequired` when the last code or passkey was given too long ago.

    `back` is the page to which somebody who sent a form is led afterwards.
    """
    if age_of_proof(request.session) > FRESH_FOR:
        raise FreshCodeRequired(next=reverse("confirm"), back=back)


def age_of_proof(session: SessionBase) -> timedelta:
    """How long ago a code was given in this session; very long where none was."""
    return timedelta(seconds=now().timestamp() - session.get(PROVED, 0))


def confirm(request: HttpRequest, user: User, code: str, *, actor: Actor) -> None:
    """Take a fresh code of the user's app. Raises `CodeRefused`, `LimitReached` after too many tries."""
    with _counted(request, user, actor):
        if not isinstance(second_factor.check_code(user, code), TotpDevice):
            raise CodeRefused(CODE_REFUSED)
    request.session[PROVED] = now().timestamp()


def confirm_with_passkey(request: HttpRequest, user: User, given: Any, *, actor: Actor) -> None:
    """The same with a passkey."""
    with _counted(request, user, actor):
        if passkeys.check_proof(request, user, given) is None:
            raise CodeRefused(passkeys.REFUSED)
    request.session[PROVED] = now().timestamp()


@contextmanager
def _counted(request: HttpRequest, user: User, actor: Actor) -> Iterator[None]:
    """Around one try: counted before it is looked at, and written down either way."""
    account, address, browser = f"code:{user.pk}", client_address(request), known_browser(request, user.email)
    take_try(account, address, browser=browser)
    try:
        yield
    except CodeRefused:
        trail.record_alone("staff.step-up-refused", actor=actor, outcome="refused")
        raise
    give_back(account, address, browser=browser)
    trail.record_alone("staff.stepped-up", actor=actor)
    chairside.end(request, actor=actor)
