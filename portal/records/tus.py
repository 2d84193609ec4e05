"""The words of tus 1.0 in requests and answers: versions, metadata, offsets.

Extensions: creation, creation-with-upload, termination.

Source: https://tus.io/protocols/resumable-upload (1.0.0).
"""

from __future__ import annotations

import base64
import binascii

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from portal.errors import InvalidInput, ScanpassError

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination"
BODY_TYPE = "application/offset+octet-stream"


class WrongVersion(ScanpassError):
    """A client of another protocol version."""

    status = 412
    title = "Other protocol version"
    sentence = "This upload speaks another version of the protocol. Please reload the page."


class WrongBodyType(ScanpassError):
    """A body that isn't plain bytes."""

    status = 415
    title = "Other kind of body"
    sentence = "A file is sent as plain bytes, with the content type of the upload protocol."


def check_version(request: HttpRequest) -> None:
    """Raise `WrongVersion` unless the client speaks ours."""
    if request.headers.get("Tus-Resumable") != VERSION:
        raise WrongVersion


def has_body(request: HttpRequest) -> bool:
    """Whether bytes come with the request. Raises `WrongBodyType` if they aren't a file's."""
    length = request.headers.get("Content-Length", "")
    if length in ("", "0") and "chunked" not in request.headers.get("Transfer-Encoding", ""):
        return False
    if request.content_type != BODY_TYPE:
        raise WrongBodyType
    return True


def metadata(request: HttpRequest) -> dict[str, str]:
    """`Upload-Metadata`: pairs of a key and base64 text, separated by commas. Raises `InvalidInput`."""
    found = {}
    for pair in filter(None, request.headers.get("Upload-Metadata", "").split(",")):
        key, _, value = pair.strip().partition(" ")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise InvalidInput("The file's name can't be read.") from None
    return found


def answer(status: int = 204, **headers: object) -> HttpResponse:
    """An empty answer with the protocol's headers; `Upload_Offset=5` becomes `Upload-Offset: 5`."""
    response = HttpResponse(status=status)
    response["Tus-Resumable"] = VERSION
    for name, value in headers.items():
        response[name.replace("_", "-")] = str(value)
    return response


def options() -> HttpResponse:
    """What this server speaks."""
    return answer(Tus_Version=VERSION, Tus_Extension=EXTENSIONS, Tus_Max_Size=settings.UPLOAD_FILE_MAX_BYTES)
