"""Every share of the practice on one page: chosen by state, recipient, end and who issued it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict

from portal.accounts.models import User
from portal.clock import now
from portal.records.models import Disclosure, DisclosureEvent
from sharing.liveness import live, state_of
from sharing.models import DeskTask, Share
from sharing.status import how_far
from sharing.tones import tone_of

ROWS_A_PAGE: Final = 50
SOON: Final = timedelta(days=7)

STATES: Final = {
    "open": "Not ended",
    "working": "Working",
    "unopened": "Working, never opened",
    "trouble": "Locked, suspended or not sent",
    "expired": "Expired",
    "revoked": "Revoked",
    "all": "All",
}
ENDINGS: Final = {"": "Any time", "soon": "Within 7 days"}


@dataclass(frozen=True, slots=True)
class Filters:
    """What the page is asked for; whatever isn't known means no filter."""

    state: str = "open"
    kind: str = ""
    ending: str = ""
    by: uuid.UUID | None = None
    page: int = 1

    @classmethod
    def of(cls, asked: QueryDict) -> Filters:
        """From the query of an address or the fields of a form."""
        state, kind, ending = asked.get("state", ""), asked.get("kind", ""), asked.get("ending", "")
        page = asked.get("page", "")
        return cls(
            state=state if state in STATES else "open",
            kind=kind if kind in Disclosure.Recipient.values else "",
            ending=ending if ending in ENDINGS else "",
            by=_uuid(asked.get("by", "")),
            page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
        )

    def query(self, **changes: object) -> str:
        """The same as the query of an address."""
        named = {
            "state": self.state,
            "kind": self.kind,
            "ending": self.ending,
            "by": self.by,
            "page": self.page,
        }
        return urlencode({name: value for name, value in {**named, **changes}.items() if value})


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class LiveRow:
    """One share of the list: how far it has come, whether it lives, and since when nothing has happened."""

    share: Share
    state: str
    life: str
    last_at: datetime

    @property
    def label(self) -> str:
        return str(DisclosureEvent.Kind(self.state).label)

    @property
    def tone(self) -> str:
        return tone_of(self.state)

    @property
    def can_end(self) -> bool:
        return self.life != "revoked" and self.life != "expired"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list; `total` counts all of them."""

    rows: list[LiveRow]
    total: int
    number: int

    @property
    def pages(self) -> int:
        return -(-self.total // ROWS_A_PAGE)

    @property
    def has_next(self) -> bool:
        return self.number < self.pages


def find_shares(practice: uuid.UUID, filters: Filters) -> Page:
    """The shares asked for, those that end first at the top; ended ones the newest first."""
    moment = now()
    found = _chosen(Share.objects.filter(practice_id=practice), filters, moment)
    order = "expires_at" if filters.state in {"open", "working", "unopened", "trouble"} else "-created_at"
    start = (filters.page - 1) * ROWS_A_PAGE
    # The ids first: to sort twenty thousand whole rows for fifty of them takes four times as long.
    ids = list(found.order_by(order, "pk").values_list("pk", flat=True)[start : start + ROWS_A_PAGE])
    rows = Share.objects.select_related("disclosure__disclosed_by", "patient").in_bulk(ids)
    shares = [rows[pk] for pk in ids]
    return Page(_rows(shares, moment), found.count(), filters.page)


def issuers(practice: uuid.UUID) -> list[User]:
    """Who has issued shares here, by name."""
    by = Disclosure.objects.filter(practice_id=practice, share__isnull=False).values("disclosed_by")
    return sorted(User.objects.filter(pk__in=by), key=lambda user: user.name.casefold())


def _chosen(shares: QuerySet[Share], filters: Filters, moment: datetime) -> QuerySet[Share]:
    shares = shares.filter(_STATES[filters.state](moment))
    if filters.kind:
        shares = shares.filter(disclosure__recipient_kind=filters.kind)
    if filters.by:
        shares = shares.filter(disclosure__disclosed_by_id=filters.by)
    if filters.ending:
        shares = shares.filter(expires_at__lte=moment + SOON)
    return shares


def _open(moment: datetime) -> Q:
    return Q(revoked_at=None, expires_at__gt=moment)


def _troubled(moment: datetime) -> Q:
    unsent = DeskTask.objects.filter(share=OuterRef("pk"), done_at=None, kind__in=["send-failed", "held"])
    return _open(moment) & (Q(locked_at__isnull=False) | Q(suspended_at__isnull=False) | Q(Exists(unsent)))


def _unopened(moment: datetime) -> Q:
    opened = DisclosureEvent.objects.filter(
        disclosure=OuterRef("disclosure"), kind=DisclosureEvent.Kind.OPENED
    )
    return live(moment) & ~Q(Exists(opened))


_STATES: Final = {
    "open": _open,
    "working": live,
    "unopened": _unopened,
    "trouble": _troubled,
    "expired": lambda moment: Q(revoked_at=None, expires_at__lte=moment),
    "revoked": lambda _moment: Q(revoked_at__isnull=False),
    "all": lambda _moment: Q(),
}


def _rows(shares: list[Share], moment: datetime) -> list[LiveRow]:
    events: dict[uuid.UUID, list[DisclosureEvent]] = defaultdict(list)
    ids = [share.disclosure_id for share in shares]
    for event in DisclosureEvent.objects.filter(disclosure_id__in=ids).order_by("at", "pk"):
        events[event.disclosure_id].append(event)
    return [_row(share, events[share.disclosure_id], moment) for share in shares]


def _row(share: Share, events: list[DisclosureEvent], moment: datetime) -> LiveRow:
    last_at = events[-1].at if events else share.created_at
    return LiveRow(share, how_far(share, events, moment), state_of(share, moment), last_at)
