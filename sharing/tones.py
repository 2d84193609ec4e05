"""Which colour a state's badge has; it only repeats what the word says."""

from __future__ import annotations

from typing import Final

from portal.records.models import DisclosureEvent

_KINDS: Final = DisclosureEvent.Kind
_TONES: Final = {
    _KINDS.QUEUED: "warn",
    _KINDS.HELD: "warn",
    _KINDS.VIEWED: "good",
    _KINDS.DOWNLOADED: "good",
    _KINDS.LOCKED: "bad",
    _KINDS.SUSPENDED: "bad",
    _KINDS.SEND_FAILED: "bad",
    _KINDS.UNDELIVERED: "bad",
    _KINDS.LOST_PHONE: "bad",
    _KINDS.EXPIRED: "over",
    _KINDS.REVOKED: "over",
    _KINDS.UNDONE: "over",
    _KINDS.WRONG_NUMBER: "over",
}


def tone_of(state: str) -> str:
    """The badge's colour by name: warn, good, bad, over or live."""
    return _TONES.get(_KINDS(state), "live")
