"""Caps on what is sent and tried: by phone, practice and network address, each one conditional UPDATE.

Subjects are keyed hashes: the table names no number. Windows are fixed and aligned, so across the turn of a window
twice the cap can pass; what protects one share is counted exactly, in `sharing.codes`.
"""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext as _

from portal.clock import now
from portal.errors import LimitReached
from portal.sealed.keys import installation_key
from sharing.models import SendCount

_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `most` of `what` in each window of `length_s` seconds."""

    what: str
    most: int
    length_s: int


PHONE_DAY: Final = Cap("phone", settings.PHONE_SENDS_MAX_DAY, 86_400)
PRACTICE_DAY: Final = Cap("practice", settings.PRACTICE_SENDS_MAX_DAY, 86_400)
CALLS_TO_PHONE_DAY: Final = Cap("call-to", settings.PHONE_CALLS_MAX_DAY, 86_400)
# Links: a number typed into a whole batch by mistake, or a desk that is used to pester somebody.
LINKS_TO_ADDRESS_DAY: Final = Cap("link-to", settings.ADDRESS_LINKS_MAX_DAY, 86_400)
LINKS_DAY: Final = Cap("links", settings.PRACTICE_LINKS_MAX_DAY, 86_400)
ADDRESS_HOUR: Final = Cap("address", settings.ADDRESS_SENDS_MAX_HOUR, 3600)
# What one patient's link passes on, and how often its owner is told of it.
PASSED_ON_DAY: Final = Cap("passed-on", 5, 86_400)
NOTICES_DAY: Final = Cap("notices", 10, 86_400)
# Links and birth dates tried from one place. Phones share addresses by the thousand, so these only stop machines.
OPENS_HOUR: Final = Cap("opens", 300, 3600)
MATCHES_HOUR: Final = Cap("matches", 100, 3600)


def take(cap: Cap, subject: str) -> None:
    """Count one, in the caller's transaction; raises `LimitReached` when the window is full."""
    moment = now()
    starts_at = _window_start(cap, moment)
    row = {"subject": _name(cap, subject), "window": cap.what, "starts_at": starts_at}
    SendCount.objects.bulk_create([SendCount(**row)], ignore_conflicts=True)
    if not SendCount.objects.filter(**row, sent__lt=cap.most).update(sent=F("sent") + 1):
        raise too_often(starts_at + timedelta(seconds=cap.length_s) - moment)


def take_from(cap: Cap, address: str) -> None:
    """Count one of a network address (its /64 for IPv6).

    A loopback address names a proxy or this machine, not who asks, so it isn't counted: counting it would
    close the door on everybody.
    """
    if address and not ipaddress.ip_address(address).is_loopback:
        take(cap, _network(address))


def too_often(wait: timedelta) -> LimitReached:
    """The refusal, with the time to wait in words and in seconds."""
    wait_s = max(1, int(wait.total_seconds() + 0.999))
    if wait_s < 90:
        words = _("Please wait %(n)s seconds and try again.") % {"n": wait_s}
    elif wait_s < 5400:
        words = _("Please wait %(n)s minutes and try again.") % {"n": -(-wait_s // 60)}
    else:
        words = _("Please try again tomorrow, or call your dental office.")
    return LimitReached(words, retry_after_s=wait_s)


def forget_old(moment: datetime) -> None:
    """Delete windows that are over."""
    SendCount.objects.filter(starts_at__lt=moment - timedelta(days=2)).delete()


def _window_start(cap: Cap, moment: datetime) -> datetime:
    windows = int((moment - _EPOCH).total_seconds()) // cap.length_s
    return _EPOCH + timedelta(seconds=windows * cap.length_s)


def _name(cap: Cap, subject: str) -> bytes:
    return hmac.digest(installation_key("otp", "send-count"), f"{cap.what}|{subject}".encode(), "sha256")


def _network(address: str) -> str:
    parsed = ipaddress.ip_address(address)
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
