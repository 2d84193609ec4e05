"""The views of both doors: the gate, the verb, the answer. Pixels leave here and nowhere else.

Each is entered at `/studies/…` with a share session and at `/desk/studies/…` by staff (`viewer.urls`).
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_GET, require_POST, require_safe

from portal.accounts import chairside
from portal.accounts.permissions import background
from portal.errors import NotFound
from sharing.access import Grant, ShareEnded, require_access, still_live
from viewer.byte_range import Wanted, wanted_bytes
from viewer.counting import count
from viewer.damage import recording_damage
from viewer.download import STEP_UP_PAGE, CodeTooOld, begin, check_code_is_fresh
from viewer.floor import floor_page
from viewer.frames import plan_batch
from viewer.manifest import granted_series, wire_manifest
from viewer.package import Arrangement, Package, package_of
from viewer.piecemeal import answer
from viewer.previews import PREVIEW_LEVEL, find_preview
from viewer.slices import draw, find_slice
from viewer.stored import StoredStudy, open_study
from viewer.turns import in_turn

ARCHIVE_NAME = "scan.zip"  # a file name is no place for a patient's name


@require_GET
def manifest(request: HttpRequest, study: UUID) -> HttpResponse:
    """What the viewer may show, and where it is."""
    grant, stored = _enter(request, study)
    with translation.override(translation.get_language_from_request(request)):
        return JsonResponse(wire_manifest(grant, stored))


@background
@require_safe
def heartbeat(request: HttpRequest, study: UUID) -> HttpResponse:
    """204 while access lives."""
    if not still_live(require_access(request, study)):
        raise ShareEnded
    return HttpResponse(status=204)


@require_GET
@in_turn
def frames(
    request: HttpRequest, study: UUID, level: int, ranges: str, series: UUID | None = None
) -> HttpResponseBase:
    """A batch of encoded frames, counted before any of it leaves, each frame verified before its first byte."""
    grant, stored = _enter(request, study, series)
    series = series or _first_series(grant, stored)
    batch = plan_batch(stored, series, level, ranges)
    count(grant, series, level=level, frames=batch.frame_count, length_bytes=batch.length_bytes)
    return answer(grant, series, batch, stored)


@require_GET
def preview(request: HttpRequest, study: UUID, view: str, series: UUID | None = None) -> HttpResponse:
    """A stored preview picture."""
    grant, stored = _enter(request, study, series)
    series = series or _first_series(grant, stored)
    entry = find_preview(stored, series, view.removesuffix(".webp"))
    count(grant, series, level=PREVIEW_LEVEL, frames=1, length_bytes=entry.length)
    with recording_damage(grant, series):
        return HttpResponse(stored.read(entry), content_type="image/webp")


@require_GET
def slice_picture(request: HttpRequest, study: UUID, series: UUID, index: int) -> HttpResponse:
    """One slice as a picture, for browsers that can't run the viewer."""
    grant, stored = _enter(request, study, series)
    found = find_slice(stored, series, index)
    count(grant, series, level=found.level["level"], frames=1, length_bytes=found.length_bytes)
    with recording_damage(grant, series):
        return HttpResponse(draw(stored, found), content_type="image/webp")


@require_safe
def download(request: HttpRequest, study: UUID) -> HttpResponseBase:
    """The study as a stored ZIP: a known length, ranges, and a strong ETag to resume by."""
    grant, stored = _enter(request, study, download=True)
    with recording_damage(grant):
        package = package_of(grant, stored, request.GET.get("layout", Arrangement.DICOMDIR))
    part, version = request.headers.get("Range"), request.headers.get("If-Range")
    wanted = wanted_bytes(part, version, length=package.length, etag=package.etag)
    if wanted is None:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{package.length}"})
    try:
        check_code_is_fresh(grant, package, wanted)
    except CodeTooOld:
        if "text/html" in request.headers.get("Accept", ""):
            return HttpResponseRedirect(STEP_UP_PAGE)  # a person who tapped the button, not a script
        raise
    # HEAD tells the same and starts nothing.
    pieces = begin(grant, package, wanted).pieces() if request.method == "GET" else ()
    return StreamingHttpResponse(
        pieces,
        status=206 if wanted.is_part else 200,
        content_type="application/zip",
        headers=_archive_headers(package, wanted),
    )


@require_GET
def desk_page(request: HttpRequest, study: UUID) -> HttpResponse:
    """The viewer, for staff."""
    grant, stored = _enter(request, study)
    page = {**floor_page(request, grant, stored), "patient_id": grant.study.patient_id}
    return render(request, "viewer/desk.html", page)


@require_POST
def hand_over(request: HttpRequest, study: UUID) -> HttpResponse:
    """The screen goes to the patient: this study, and nothing else until a code is given."""
    grant, _ = _enter(request, study)
    with transaction.atomic():
        chairside.begin(request, grant.study, actor=grant.actor)
    return HttpResponseRedirect(reverse("desk_study", kwargs={"study": study}))


def _enter(
    request: HttpRequest, study: UUID, series: UUID | None = None, *, download: bool = False
) -> tuple[Grant, StoredStudy]:
    """Through the gate, to the opened study. Raises what the gate raises, and VaultDamaged."""
    grant = require_access(request, study, series_id=series, download=download)
    with recording_damage(grant):
        return grant, open_study(grant.study)


def _first_series(grant: Grant, stored: StoredStudy) -> UUID:
    """The series meant by an address that names none."""
    for series in granted_series(grant, stored):
        return UUID(series["id"])
    raise NotFound


def _archive_headers(package: Package, wanted: Wanted) -> dict[str, str]:
    headers = {
        "Content-Length": str(wanted.stop - wanted.start),
        "ETag": package.etag,
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{ARCHIVE_NAME}"',
    }
    if wanted.is_part:
        headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{package.length}"
    return headers
