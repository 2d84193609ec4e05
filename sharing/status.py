"""Where a disclosure stands, for the desk: its steps in words, and the one word for now."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

from django.utils.translation import ngettext

from portal.clock import now
from portal.records.models import Disclosure, DisclosureEvent
from sharing.liveness import state_of
from sharing.models import Share
from sharing.troubles import Trouble, sentence

_KINDS: Final = DisclosureEvent.Kind
# How far a share has come, in this order; what went wrong with it comes before.
_FURTHER: Final = (
    _KINDS.QUEUED,
    _KINDS.SENT,
    _KINDS.DELIVERED,
    _KINDS.PRINTED,
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
# Kinds of revoking that say more than that it was revoked.
_WHY_REVOKED: Final = (_KINDS.WRONG_NUMBER, _KINDS.UNDONE)
# What a link's life is made of: after a lost phone there is none until the next one is queued.
_LINKS: Final = frozenset({_KINDS.QUEUED, _KINDS.SENT, _KINDS.LOST_PHONE})
# What becomes of a message; where the last of these is one of the stuck, that is what the desk must see.
_STUCK: Final = frozenset({_KINDS.HELD, _KINDS.SEND_FAILED, _KINDS.UNDELIVERED})
_ON_ITS_WAY: Final = frozenset({_KINDS.QUEUED, _KINDS.SENT, _KINDS.DELIVERED, *_STUCK})


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
    share = Share.objects.filter(disclosure=disclosure).first()
    return description_of(share, list(disclosure.events.order_by("at", "pk")), now())


def description_of(share: Share | None, events: list[DisclosureEvent], moment: datetime) -> Description:
    """The same of rows that are at hand. `events` are the disclosure's, the oldest first."""
    by_kind: dict[str, list[DisclosureEvent]] = {}
    for event in events:
        by_kind.setdefault(event.kind, []).append(event)
    steps = [_step(kind, same) for kind, same in by_kind.items()]
    return Description(steps, how_far(share, events, moment))


def _step(kind: str, same: list[DisclosureEvent]) -> Step:
    last = same[-1]
    return Step(kind, str(_KINDS(kind).label), last.at, _words(kind, same))


def _words(kind: str, same: list[DisclosureEvent]) -> str:
    facts: dict[str, Any] = same[-1].facts
    if kind in {_KINDS.SEND_FAILED, _KINDS.UNDELIVERED}:
        return str(facts.get("sentence", ""))
    if kind == _KINDS.HELD:
        return sentence(Trouble(facts["trouble"]))
    if kind == _KINDS.VIEWED:
        series = len({event.facts.get("series") for event in same})
        return ngettext("%(n)s series", "%(n)s series", series) % {"n": series}
    if kind == _KINDS.DOWNLOADED and facts.get("length_bytes"):
        return f"{facts['length_bytes'] / 1e6:.1f} MB"
    if len(same) > 1:
        return ngettext("%(n)s time", "%(n)s times", len(same)) % {"n": len(same)}
    return ""


def how_far(share: Share | None, events: list[DisclosureEvent], moment: datetime) -> str:
    """The one word for now: a `DisclosureEvent.Kind` value. `events` are the disclosure's, the oldest first."""
    ended = state_of(share, moment) if share else "live"
    if ended != "live":
        reasons = {event.kind for event in events}
        return next((kind.value for kind in _WHY_REVOKED if kind in reasons), _ENDINGS[ended].value)
    events = _since_other_number(events)
    kinds = {event.kind for event in events}
    latest = next((event.kind for event in reversed(events) if event.kind in _LINKS), None)
    if latest == _KINDS.LOST_PHONE:
        return latest
    sends = [event.kind for event in events if event.kind in _ON_ITS_WAY]
    if sends and sends[-1] in _STUCK:
        return sends[-1]
    return next((kind.value for kind in reversed(_FURTHER) if kind in kinds), _KINDS.QUEUED.value)


def _since_other_number(events: list[DisclosureEvent]) -> list[DisclosureEvent]:
    """What happened before it went to another number says nothing of the link that lives now."""
    changes = [place for place, event in enumerate(events) if event.kind == _KINDS.NUMBER_CHANGED]
    return events[changes[-1] + 1 :] if changes else events
