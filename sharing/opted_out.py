"""STOP and START: who doesn't want texts gets none, until they say otherwise.

The vendor stops the texts by itself; we mirror it, so that the desk sees it before it sends in vain.

Source: CTIA Messaging Principles and Best Practices 5.1.3; 47 CFR 64.1200(a)(10).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Final

from django.db import transaction

from portal.audit import trail
from portal.audit.actor import system
from portal.clock import now
from portal.practice.models import Practice
from portal.sealed.fields import blind_index
from portal.sealed.keys import installation_key
from sharing.models import Channel, OptOut, Share

_STOP: Final = frozenset(
    {
        "STOP",
        "STOPALL",
        "UNSUBSCRIBE",
        "CANCEL",
        "END",
        "QUIT",
        "REVOKE",
        "OPTOUT",
        "ALTO",
        "PARAR",
        "CANCELAR",
    }
)
_START: Final = frozenset({"START", "UNSTOP", "COMENZAR"})


def has_opted_out(share: Share) -> bool:
    """Whether the share goes by text to a number whose owner has replied STOP."""
    return share.channel == Channel.TEXT and has_stopped(share.address)


def has_stopped(number: str) -> bool:
    """Whether the owner of this number has replied STOP."""
    return bool(stopped_among([number]))


def stopped_among(numbers: Iterable[str]) -> set[str]:
    """Those of the numbers whose owners have replied STOP."""
    subjects = {_subject(number): number for number in numbers}
    found = OptOut.objects.filter(subject__in=subjects).values_list("subject", flat=True)
    return {subjects[bytes(subject)] for subject in found}


def hear(number: str, text: str) -> None:
    """Do what an incoming text says, if it says STOP or START; what else people write is not kept."""
    word = "".join(text.split()).strip(".!").upper()
    if word in _STOP:
        opt_out(number)
    elif word in _START:
        opt_in(number)


def opt_out(number: str) -> None:
    """No texts to this number from now on. Twice is once."""
    with transaction.atomic():
        _row, is_new = OptOut.objects.get_or_create(subject=_subject(number), defaults={"since": now()})
        if is_new:
            _record("share.opted-out", number)


def opt_in(number: str) -> None:
    """Texts are wanted again."""
    with transaction.atomic():
        if OptOut.objects.filter(subject=_subject(number)).delete()[0]:
            _record("share.opted-in", number)


def _record(code: str, number: str) -> None:
    """In the trail of every practice that has texted this number."""
    for practice in Practice.objects.all():
        index = blind_index(practice.pk, "address", number)
        if Share.objects.filter(practice=practice, address_index=index).exists():
            trail.record(code, actor=system(practice.pk), private={"number": number})


def _subject(number: str) -> bytes:
    return hmac.digest(installation_key("otp", "opt-out"), number.encode(), "sha256")
