"""What the viewer's page needs before any script runs: a first picture, and pictures alone where scripts are off."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from portal.practice.models import Practice
from sharing.access import Grant
from viewer.manifest import granted_series, preview_url, slice_url, study_root
from viewer.stored import SeriesView, StoredStudy


def floor_page(request: HttpRequest, grant: Grant, stored: StoredStudy) -> dict[str, Any]:
    """The context of `templates/viewer/_viewer.html`, without `face`."""
    practice = Practice.objects.get(pk=grant.practice)
    root, shown = study_root(grant), granted_series(grant, stored)
    first = next(((one, _first_cut(one)) for one in shown if one["previews"]), None)
    return {
        "manifest_url": f"{root}/manifest.json",
        "study_title": grant.study.title,
        "practice_name": practice.name,
        "practice_phone": practice.phone,
        "preview_url": preview_url(root, *first) if first else "",
        "floor": {"series": [_floor(request, root, series) for series in shown]},
    }


def _first_cut(series: SeriesView) -> str:
    """Dentists begin at a cut, patients at the panorama."""
    views = [preview["view"] for preview in series["previews"]]
    return next((view for view in views if view != "panorama"), views[0])


def _floor(request: HttpRequest, root: str, series: SeriesView) -> dict[str, Any]:
    count = series["NumberOfFrames"]
    index = _chosen(request, series["id"], count)
    return {
        "id": series["id"],
        "title": series["title"],
        "count": count,
        "index": index,
        "slice_url": slice_url(root, series, index),
    }


def _chosen(request: HttpRequest, series_id: str, count: int) -> int:
    """The slice chosen in the page's form (`?series=…&slice=…`, from 1), as an index; the middle one at first."""
    text = request.GET.get("slice", "")
    if request.GET.get("series") == series_id and text.isascii() and text.isdigit() and len(text) < 9:
        return min(max(int(text), 1), count) - 1
    return count // 2
