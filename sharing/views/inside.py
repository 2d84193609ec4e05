"""What a verified recipient sees: the scan, who opened it, and the way out."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.addresses import client_address
from portal.accounts.permissions import public, recipient
from portal.errors import AccessDenied, NotFound
from portal.records.models import Series, Study
from sharing.access import require_share_session, session_of
from sharing.activity import activity_of
from sharing.actors import recipient as recipient_of
from sharing.answers import drop_cookie, onward
from sharing.endings import end_session
from sharing.models import Share


@recipient
@require_safe
def studies(request: HttpRequest) -> HttpResponse:
    """What is shared, for scripts."""
    share = _share(request)
    listed = [
        {
            "id": str(study.pk),
            "title": study.title,
            "manifest": f"/studies/{study.pk}/manifest.json",
            "download": f"/studies/{study.pk}/download" if share.allows_download else None,
        }
        for study in shared_studies(share)
    ]
    return JsonResponse(listed, safe=False)


@recipient
@require_safe
def view(request: HttpRequest) -> HttpResponse:
    """The viewer; with several studies shared, first the choice."""
    share = _share(request)
    found = shared_studies(share)
    if not found:
        raise NotFound
    chosen = _chosen(request, share, found)
    if chosen is None:
        choices = [(study, _titles(share, study)) for study in found]
        names = {"practice": share.practice, "who": share.patient.short_name}
        context = {**names, "choices": choices, "face": _face(share)}
        context["allows_download"] = share.allows_download
        return render(request, "share/choose.html", context)
    return render(request, "viewer/recipient.html", _viewer_context(request, share, chosen, len(found) > 1))


@recipient
@require_safe
def activity(request: HttpRequest) -> HttpResponse:
    """Who opened the scan, and when."""
    share = _share(request)
    names = {"practice": share.practice, "who": share.patient.short_name}
    context = {**names, "lines": activity_of(share), "face": _face(share)}
    context["allows_download"] = share.allows_download
    return render(request, "share/activity.html", context)


@recipient
@require_safe
def files(request: HttpRequest) -> HttpResponse:
    """The ways to download: what one program can't import, another way often can."""
    share = _share(request)
    if not share.allows_download:
        raise AccessDenied(
            _("This link is for viewing. Ask the dental office for one that allows the download.")
        )
    names = {"practice": share.practice, "who": share.patient.short_name}
    context = {**names, "studies": shared_studies(share), "face": _face(share), "allows_download": True}
    return render(request, "share/files.html", context)


@recipient
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """Close this session, on this device, now."""
    session = session_of(request)
    if session.share is not None:
        end_session(session, actor=recipient_of(session.share, session, address=client_address(request)))
    return drop_cookie(onward(request, {"next": "/s/done"}, page="/s/done"))


@public
@require_safe
def done(request: HttpRequest) -> HttpResponse:
    """After closing: nothing is left here."""
    return render(request, "share/done.html")


# --- what is shared ------------------------------------------------------------------------------------------------


def _share(request: HttpRequest) -> Share:
    share = require_share_session(request).share
    if share is None:
        raise NotFound
    return share


def shared_studies(share: Share) -> list[Study]:
    """The studies of which something is shared, newest first."""
    ids = share.shared_series.values_list("study_id", flat=True)
    return list(Study.objects.filter(pk__in=ids, state=Study.State.STORED).order_by("-created_at"))


def _face(share: Share) -> str:
    """Whose words the pages use: a dentist reads of a scan, everybody else of "my scan"."""
    return "dentist" if share.disclosure.recipient_kind == "dentist" else "patient"


def _titles(share: Share, study: Study) -> str:
    """The shared series of a study by name: parts of one study would otherwise look alike."""
    shared = Series.objects.filter(pk__in=share.shared_series.values("series_id"), study=study)
    return ", ".join(series.title for series in shared.order_by("position"))


def _chosen(request: HttpRequest, share: Share, found: list[Study]) -> Study | None:
    if len(found) == 1:
        return found[0]
    wanted = request.GET.get("study", "")
    if not wanted and (series := request.GET.get("series")):
        wanted = str(
            share.shared_series.filter(series_id=_uuid(series)).values_list("study_id", flat=True).first()
        )
    if not wanted:
        return None
    for study in found:
        if str(study.pk) == wanted:
            return study
    raise NotFound


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound from None


def _viewer_context(request: HttpRequest, share: Share, study: Study, has_more: bool) -> dict[str, Any]:
    shown = Series.objects.filter(pk__in=share.shared_series.values("series_id"), study=study).order_by(
        "position"
    )
    pictures = [one for one in shown if one.kind != Series.Kind.OTHER]
    return {
        "practice": share.practice,
        "practice_name": share.practice.name,
        "practice_phone": share.practice.phone,
        "manifest_url": f"/studies/{study.pk}/manifest.json",
        "face": _face(share),
        "study_title": study.title,
        "preview_url": _preview_url(pictures[0], _face(share)) if pictures else "",
        "floor": {"series": [_floor(request, one) for one in pictures]},
        "has_more_studies": has_more,
        "who": share.patient.short_name,
        "allows_download": share.allows_download,
    }


def _preview_url(series: Series, face: str) -> str:
    """A patient's first picture is the study's own first: all teeth, where their arch was found."""
    cut = "axial" if series.kind == Series.Kind.VOLUME else "image"
    view = "first" if face == "patient" else cut
    return f"/studies/{series.study_id}/series/{series.pk}/previews/{view}.webp"


def _floor(request: HttpRequest, series: Series) -> dict[str, Any]:
    """One series for pages without scripts: the slice asked for in the address, else the middle one."""
    count = max(1, series.frame_count)
    index = count // 2
    asked = request.GET.get("slice", "")
    if request.GET.get("series") == str(series.pk) and asked.isascii() and asked.isdigit() and len(asked) < 7:
        index = min(max(int(asked) - 1, 0), count - 1)
    return {
        "id": str(series.pk),
        "title": series.title,
        "count": count,
        "index": index,
        "slice_url": f"/studies/{series.study_id}/series/{series.pk}/slices/{index}.webp",
    }
