"""Counting failed sign-ins: of one account, of one network address, and of one known browser.

Who signed in from a browser before has a count of their own there: a stranger who guesses locks the account for
strangers, and never its owner out.

A try takes its place *before* the password or code is looked at, by one conditional UPDATE, and gives it back
when it was right. Counting afterwards would let any number of parallel guesses through.
Subjects are kept as keyed hashes: the table names neither accounts nor addresses.

Source: NIST SP 800-63B-4, 3.2.2 (rate limiting); OWASP, Slow Down Online Guessing Attacks with Device Cookies.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Case, F, Q, Value, When

from portal.accounts.models import SignInThrottle
from portal.clock import now
from portal.errors import LimitReached
from portal.sealed.keys import installation_key

WINDOW: Final = timedelta(minutes=15)
ACCOUNT_FAILURES_MAX: Final = 10
# A whole practice sits behind one address: one person's slips must not lock out the others.
ADDRESS_FAILURES_MAX: Final = 40


def take_try(account: str, address: str, *, browser: str = "") -> None:
    """Take one try for an account from an address; raises `LimitReached` when either has none left.

    `account` is whatever was typed, so that an unknown account counts like a known one. `browser` is the name of
    a browser this account was signed in from before, if it is one: then only its own count is asked.
    """
    for subject, most in _counts(account, address, browser):
        _take(subject, most)


def is_spent(account: str, address: str, *, browser: str = "") -> bool:
    """Whether the next try would be refused."""
    return any(
        SignInThrottle.objects.filter(subject=subject, failures__gte=most, window_ends_at__gt=now()).exists()
        for subject, most in _counts(account, address, browser)
    )


def give_back(account: str, address: str, *, browser: str = "") -> None:
    """The try was right: it doesn't count."""
    subjects = [subject for subject, _ in _counts(account, address, browser)]
    SignInThrottle.objects.filter(subject__in=subjects, failures__gt=0).update(failures=F("failures") - 1)


def forget_failures(account: str, *, browser: str = "") -> None:
    """A complete sign-in clears the account's count; the address keeps its own.

    From a known browser it clears that browser's only: the stranger's failures still count against the stranger.
    """
    subject, _ = _counts(account, "", browser)[0]
    SignInThrottle.objects.filter(subject=subject).update(failures=0)


def _counts(account: str, address: str, browser: str) -> list[tuple[str, int]]:
    if browser:
        return [(_subject("browser", f"{browser}:{account}"), ACCOUNT_FAILURES_MAX)]
    of_account = (_subject("account", account), ACCOUNT_FAILURES_MAX)
    if not address:
        return [of_account]
    return [of_account, (_subject("address", _network(address)), ADDRESS_FAILURES_MAX)]


def _take(subject: str, most: int) -> None:
    moment = now()
    fresh = SignInThrottle(subject=subject, failures=0, window_ends_at=moment + WINDOW)
    SignInThrottle.objects.bulk_create([fresh], ignore_conflicts=True)
    over = Q(window_ends_at__lte=moment)
    taken = (
        SignInThrottle.objects.filter(subject=subject)
        .filter(over | Q(failures__lt=most))
        .update(
            failures=Case(When(over, then=Value(1)), default=F("failures") + 1),
            window_ends_at=Case(When(over, then=Value(moment + WINDOW)), default=F("window_ends_at")),
        )
    )
    if not taken:
        raise _too_often(subject, moment)


def _too_often(subject: str, moment: datetime) -> LimitReached:
    ends_at = SignInThrottle.objects.values_list("window_ends_at", flat=True).get(subject=subject)
    wait_s = max(1, int((ends_at - moment).total_seconds()) + 1)
    minutes = -(-wait_s // 60)
    words = "1 minute" if minutes == 1 else f"{minutes} minutes"
    return LimitReached(f"That was too many tries. Please wait {words} and try again.", retry_after_s=wait_s)


def _subject(kind: str, text: str) -> str:
    key = installation_key("session", "sign-in-throttle")
    return hmac.new(key, f"{kind}:{text.strip().lower()}".encode(), hashlib.sha256).hexdigest()


def _network(address: str) -> str:
    """An IPv6 client owns a whole /64, so that is what is counted."""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
