"""The wire manifest: what a page may show of a study, and the address of every piece, right for its door."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext

from sharing.access import Grant
from viewer.plain_words import notices_of, plain_names, reason_for
from viewer.previews import FIRST
from viewer.stored import SeriesView, StoredStudy

VERSION = 1


def wire_manifest(grant: Grant, stored: StoredStudy) -> dict[str, Any]:
    """The manifest as JSON will say it, in the language at hand. It holds the series of the grant and no others.

    A series has two names: `title` as its machine wrote it, for those who work with it, and `name` in plain words.
    """
    root = study_root(grant)
    study = grant.study
    shown = granted_series(grant, stored)
    return {
        "version": VERSION,
        "id": str(stored.id),
        "generation": stored.generation,
        "title": study.title,
        "date": study.study_date.isoformat() if study.study_date else None,
        "expires_at": _utc(grant.expires_at),
        "heartbeat": {"url": f"{root}/heartbeat", "every_s": settings.HEARTBEAT_S},
        "batch_bytes": settings.BATCH_MAX_BYTES,
        "allows_download": grant.allows_download,
        "download": f"{root}/download" if grant.allows_download else None,
        "series": [_series(*each, root) for each in zip(shown, plain_names(shown), strict=True)],
        "others": others_of(grant, stored),
    }


def others_of(grant: Grant, stored: StoredStudy) -> list[dict[str, str]]:
    """What isn't shown and why; a hundred slices of one series that say the same say it once."""
    told = dict.fromkeys(
        (other["series"], other["title"], other["reason"])
        for other in stored.others
        if grant.allows(UUID(other["series"]))
    )
    return [
        {"title": gettext(title), "reason": reason_for(reason, allows_download=grant.allows_download)}
        for _, title, reason in told
    ]


def granted_series(grant: Grant, stored: StoredStudy) -> list[SeriesView]:
    """The displayable series of the grant, in the study's order."""
    return [view for series, view in stored.series.items() if grant.allows(series)]


def study_root(grant: Grant) -> str:
    """The address of the study at the grant's door, without a slash at its end."""
    desk = "/desk" if grant.door == "staff" else ""
    return f"{desk}/studies/{grant.study.pk}"


def preview_url(root: str, series: SeriesView, view: str) -> str:
    """The address of a preview; the first one has an address that tells no view."""
    name = FIRST if view == series["previews"][0]["view"] else view
    return f"{root}/series/{series['id']}/previews/{name}.webp"


def slice_url(root: str, series: SeriesView, index: int | str) -> str:
    """The address of a slice as a picture; `{index}` may stand for its number."""
    return f"{root}/series/{series['id']}/slices/{index}.webp"


def _series(series: SeriesView, name: str, root: str) -> dict[str, Any]:
    base = f"{root}/series/{series['id']}"
    previews = [
        {
            "view": preview["view"],
            "url": preview_url(root, series, preview["view"]),
            "width": preview["width"],
            "height": preview["height"],
        }
        for preview in series["previews"]
    ]
    return {
        **series,
        **notices_of(series),
        "name": name,
        "teeth": series.get("teeth", []),
        "frames": f"{base}/levels/{{level}}/frames/{{ranges}}",
        "previews": previews,
        "slices": {"url": slice_url(root, series, "{index}"), "count": series["NumberOfFrames"]},
    }


def _utc(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
