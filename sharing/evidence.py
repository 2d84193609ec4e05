"""What left by a share, when, to whom, or that nothing did: from the tallies, the downloads and the trail.

Each figure is what was counted before the bytes left, so it is never too small.

Source: 45 CFR 164.402(2): was the information acquired or viewed, and by whom.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Max, Min, Sum

from portal.audit.models import AuditEntry
from portal.audit.reading import Read, read
from portal.records.models import Study
from sharing.models import Download, Message, Share, ShareSession, Tally

# What the way to the images consists of, besides the images themselves.
_SHOWN: Final = (
    "share.created",
    "share.queued",
    "share.sent",
    "share.delivered",
    "share.undelivered",
    "share.send-failed",
    "share.undone",
    "share.visited",
    "share.match-refused",
    "share.matched",
    "share.locked",
    "share.unlocked",
    "share.code-sent",
    "share.code-refused",
    "share.verified",
    "share.number-changed",
    "share.images-added",
    "share.images-removed",
    "share.extended",
    "series.opened",
    "study.download-started",
    "study.downloaded",
    "study.download-broken",
    "share.lost-phone",
    "share.wrong-number",
    "share.expired",
    "share.revoked",
)
ENTRIES_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """What of one series was released in all sessions together."""

    study: str
    series: str
    frames: int
    length_bytes: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that is known of one share.

    `seen` and `downloads` empty means that no image byte left. A download that was begun counts as released, for
    pieces asked for out of order are in the trail and not in its `sent_bytes`.
    """

    share: Share
    visits: int
    opens: int
    verified: int
    messages: list[Message]
    seen: list[Seen]
    downloads: list[Download]
    entries: list[Read]

    @property
    def length_bytes(self) -> int:
        """Every byte of an image that was released."""
        return sum(row.length_bytes for row in self.seen) + sum(row.sent_bytes for row in self.downloads)

    @property
    def released_nothing(self) -> bool:
        return not self.seen and not self.downloads

    @property
    def last_byte_at(self) -> datetime | None:
        """When the last byte left."""
        times = [row.last_at for row in self.seen]
        times += [row.last_at for row in self.downloads]
        return max(times, default=None)


def evidence_of(share: Share) -> Evidence:
    """What the practice can show about this share."""
    sessions = ShareSession.objects.filter(share=share)
    return Evidence(
        share=share,
        visits=AuditEntry.objects.filter(share_id=share.pk, code="share.visited").count(),
        opens=AuditEntry.objects.filter(share_id=share.pk, code="share.matched").count(),
        verified=sessions.filter(step=ShareSession.Step.VERIFIED).count(),
        messages=list(share.messages.filter(kind=Message.Kind.LINK).order_by("created_at")),
        seen=_seen(share),
        downloads=list(
            Download.objects.filter(session__share=share).select_related("study").order_by("started_at")
        ),
        entries=_entries(share),
    )


def _seen(share: Share) -> list[Seen]:
    tallies = Tally.objects.filter(session__share=share).select_related("series__study")
    sums = {
        row["series_id"]: row
        for row in tallies.values("series_id")
        .annotate(
            frames=Sum("frames"), length=Sum("length_bytes"), first=Min("first_at"), last=Max("last_at")
        )
        .order_by()
    }
    titles = {tally.series_id: tally.series for tally in tallies}
    return [
        Seen(
            titles[key].study.title,
            titles[key].title,
            row["frames"],
            row["length"],
            row["first"],
            row["last"],
        )
        for key, row in sums.items()
    ]


def _entries(share: Share) -> list[Read]:
    rows = AuditEntry.objects.filter(practice_id=share.practice_id, share_id=share.pk, code__in=_SHOWN)
    return [read(entry) for entry in rows.order_by("n")[:ENTRIES_MAX]]


def what_left(share: Share) -> dict[Study, int]:
    """The bytes of each study that left by this share: shown where a study is taken out of it."""
    left: dict[Study, int] = {}
    for tally in Tally.objects.filter(session__share=share).select_related("study"):
        left[tally.study] = left.get(tally.study, 0) + tally.length_bytes
    for row in Download.objects.filter(session__share=share).select_related("study"):
        left[row.study] = left.get(row.study, 0) + row.sent_bytes
    return left
