"""Noting when keys went out of reach, and when they were back: meanwhile everything that needs them is closed.

The entry needs no key itself, so it can be written while none can be had.
"""

from __future__ import annotations

import time

from portal.audit import installation
from portal.audit.events import FAILED
from portal.audit.models import AuditEntry
from portal.errors import Sealed
from portal.sealed.keys import INSTALLATION, provider
from portal.sealed.rotation import versions_in_use

LOOK_EVERY_S = 60
GONE, BACK = "keyring.out-of-reach", "keyring.back"
_looked_at = -float(LOOK_EVERY_S)


def sweep_sealing() -> None:
    """Called every few seconds; looks once a minute."""
    global _looked_at
    if time.monotonic() - _looked_at >= LOOK_EVERY_S:
        _looked_at = time.monotonic()
        look()


def look() -> str:
    """Why keys can't be had, in a word, "" when they can; written down when it has changed."""
    reason = _reason()
    last = AuditEntry.objects.filter(practice_id=INSTALLATION, code__in=(GONE, BACK)).order_by("-n").first()
    is_known_gone = last is not None and last.code == GONE
    if reason and not is_known_gone:
        installation.note(GONE, outcome=FAILED, reason=reason)
    elif not reason and is_known_gone:
        installation.note(BACK)
    return reason


def _reason() -> str:
    try:
        keys = provider()
        keys.health()
        missing = set(versions_in_use()) - keys.versions()
    except Sealed as refusal:
        return str(refusal.details.get("reason", "sealed"))
    return f"version {min(missing)} is missing" if missing else ""
