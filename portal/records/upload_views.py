"""The endpoints of uploading: open an upload, send files by tus 1.0, finish, ask how it stands.

Bodies are read from the connection in small steps; `request.body` and `request.POST` are never touched.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.permissions import Action, may
from portal.errors import NotFound
from portal.records import tus
from portal.records.models import Upload, UploadedFile
from portal.records.patients import get_patient
from portal.records.receive import announce, parse_length, receive
from portal.records.upload_status import describe
from portal.records.uploads import discard_upload, finish_upload, get_upload, remove_file, start_upload


@may(Action.UPLOAD)
@require_POST
def uploads(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Open an upload on a patient's chart."""
    patient = get_patient(request.actor.practice, patient_id)  # type: ignore[attr-defined]
    upload = start_upload(patient, actor=request.actor)  # type: ignore[attr-defined]
    urls = {name: reverse(f"upload_{name}", args=[upload.pk]) for name in ("files", "finish", "status")}
    return JsonResponse({"id": str(upload.pk), **urls}, status=201)


@may(Action.UPLOAD)
@require_http_methods(["OPTIONS", "POST"])
def files(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Announce a file (tus creation), with its first bytes or without."""
    if request.method == "OPTIONS":
        return tus.options()
    tus.check_version(request)
    upload = _upload(request, upload_id)
    length = parse_length(request.headers.get("Upload-Length"))
    name = tus.metadata(request).get("filename", "")
    sends_bytes = tus.has_body(request)
    file = announce(upload, name=name, length=length)
    offset = _receive(request, file, 0) if sends_bytes else 0
    location = reverse("upload_file", args=[upload.pk, file.pk])
    return tus.answer(201, Location=location, Upload_Offset=offset)


@may(Action.UPLOAD)
@require_http_methods(["HEAD", "PATCH", "DELETE"])
def file(request: HttpRequest, upload_id: UUID, file_id: UUID) -> HttpResponse:
    """Ask where a file stands, send its next bytes, or take it out."""
    tus.check_version(request)
    row = UploadedFile.objects.filter(upload=_upload(request, upload_id), pk=file_id).first()
    if row is None:
        raise NotFound
    if request.method == "HEAD":
        return tus.answer(200, Upload_Offset=row.offset, Upload_Length=row.length)
    if request.method == "DELETE":
        remove_file(row)
        return tus.answer()
    if request.content_type != tus.BODY_TYPE:
        raise tus.WrongBodyType
    return tus.answer(
        Upload_Offset=_receive(request, row, parse_length(request.headers.get("Upload-Offset")))
    )


@may(Action.UPLOAD)
@require_POST
def finish(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Close the upload; its files are then read by the worker."""
    upload = finish_upload(_upload(request, upload_id), actor=request.actor)  # type: ignore[attr-defined]
    return JsonResponse(describe(upload), status=202)


@may(Action.UPLOAD)
@require_http_methods(["GET", "HEAD", "DELETE"])
def status(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """How the upload stands; DELETE gives it up."""
    upload = _upload(request, upload_id)
    if request.method == "DELETE":
        discard_upload(upload, actor=request.actor)  # type: ignore[attr-defined]
        return HttpResponse(status=204)
    return JsonResponse(describe(upload))


def _upload(request: HttpRequest, upload_id: UUID) -> Upload:
    return get_upload(request.actor.practice, upload_id)  # type: ignore[attr-defined]


def _receive(request: HttpRequest, row: UploadedFile, offset: int) -> int:
    length = request.headers.get("Content-Length")
    return receive(row, request.read, offset=offset, announced=parse_length(length) if length else None)
