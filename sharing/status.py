"""Where a disclosure stands, for the desk: its steps in words, and the one word for now."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

from django.utils.translation import ngettext

from portal.clock import now
from portal.records.models import Disclosure, DisclosureEvent
from sharing.liveness import state_of
from sharing.models import Share

_KINDS: Final = DisclosureEvent.Kind
# How far a share has come, in this order; what went wrong with it comes before.
_FURTHER: Final = (
    _KINDS.QUEUED,
    _KINDS.SENT,
    _KINDS.OPENED,
    _KINDS.VERIFIED,
    _KINDS.VIEWED,
    _KINDS.DOWNLOADED,
)

_ENDINGS: Final = {
    "revoked": _KINDS.REVOKED,
    "expired": _KINDS.EXPIRED,
    "suspended": _KINDS.SUSPENDED,
    "locked": _KINDS.LOCKED,
}


class Step(NamedTuple):
    """One kind of event: the first time, or how often and when last."""

    kind: str
    label: str
    at: datetime
    words: str


class Description(NamedTuple):
    """The steps, oldest first, and the state: a `DisclosureEvent.Kind` value."""

    steps: list[Step]
    state: str


def describe(disclosure: Disclosure) -> Description:
    """What happened to a disclosure, and where it stands now."""
    events = list(disclosure.events.order_by("at", "pk"))
    by_kind: dict[str, list[DisclosureEvent]] = {}
    for event in events:
        by_kind.setdefault(event.kind, []).append(event)
    steps = [_step(kind, same) for kind, same in by_kind.items()]
    return Description(steps, _state(disclosure, events))


def _step(kind: str, same: list[DisclosureEvent]) -> Step:
    last = same[-1]
    return Step(kind, str(_KINDS(kind).label), last.at, _words(kind, same))


def _words(kind: str, same: list[DisclosureEvent]) -> str:
    facts: dict[str, Any] = same[-1].facts
    if kind == _KINDS.SEND_FAILED:
        return str(facts.get("sentence", ""))
    if kind == _KINDS.VIEWED:
        series = len({event.facts.get("series") for event in same})
        return ngettext("%(n)s series", "%(n)s series", series) % {"n": series}
    if kind == _KINDS.DOWNLOADED and facts.get("length_bytes"):
        return f"{facts['length_bytes'] / 1e6:.1f} MB"
    if len(same) > 1:
        return ngettext("%(n)s time", "%(n)s times", len(same)) % {"n": len(same)}
    return ""


def _state(disclosure: Disclosure, events: list[DisclosureEvent]) -> str:
    share = Share.objects.filter(disclosure=disclosure).first()
    ended = state_of(share, now()) if share else "live"
    if ended != "live":
        return _ENDINGS[ended].value
    sends = [event.kind for event in events if event.kind in {_KINDS.SENT, _KINDS.SEND_FAILED, _KINDS.QUEUED}]
    if sends and sends[-1] == _KINDS.SEND_FAILED:
        return _KINDS.SEND_FAILED.value
    kinds = {event.kind for event in events}
    return next((kind.value for kind in reversed(_FURTHER) if kind in kinds), _KINDS.QUEUED.value)
