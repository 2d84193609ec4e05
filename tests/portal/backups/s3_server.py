"""A server that speaks S3 (moto's), behind a gate of ours: it checks every signature, and breaks where a test says so.

moto keeps buckets and objects as S3 does and believes everybody; the gate holds each request to Signature Version 4,
its body to the hash that was signed, and a part to what S3 would take.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, quote
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

KEY, SECRET = "AKIASCANPASSBACKUPS0", "s3-secret-key-71c0"
BUCKET = "clinic-backups"
ERROR = "<Error><Code>{0}</Code><Message>{0}</Message></Error>"

Fault = Callable[["Asked"], str | None]
"""What becomes of a request: None (as usual), "STATUS CODE" of an answer, "cut" (half of it) or "reset" (none)."""


@dataclass(frozen=True)
class Asked:
    """One request: method, path of the object (without the bucket), and what its query names."""

    method: str
    path: str
    query: dict[str, str]
    length: int

    @property
    def is_upload(self) -> bool:
        """An object in one piece, or a part of one."""
        return self.method == "PUT"


@dataclass
class S3Server:
    """A running store; `asked` are its requests since the last look, `fault` decides what becomes of each."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    fault: Fault | None = None

    def address(self, prefix: str = "smile") -> str:
        return f"s3://{BUCKET}/{prefix}?endpoint={self.url}&region=us-east-1"

    def count(self, method: str, word: str = "") -> int:
        return sum(one.method == method and word in one.path for one in self.asked)

    def objects(self) -> dict[str, bytes]:
        """What is in the bucket, by its whole name."""
        return {key.name: key.value for key in self._bucket().keys.values()}

    def packs(self) -> dict[str, bytes]:
        """The packs in the bucket, by the vault's names."""
        found = self.objects().items()
        return {name.rpartition("/")[2]: content for name, content in found if "/objects/" in name}

    def put(self, name: str, content: bytes) -> None:
        """Write or change an object past everybody."""
        self._backend().put_object(BUCKET, name, content)

    def remove(self, name: str) -> None:
        self._bucket().keys.pop(name)

    def age(self, name: str, **by: float) -> None:
        """Make an object older."""
        from datetime import timedelta

        self._bucket().keys[name].last_modified -= timedelta(**by)

    def unfinished(self) -> int:
        """How many uploads in parts are neither complete nor aborted."""
        return len(self._bucket().multiparts)

    def empty(self) -> None:
        """A bucket as it was made."""
        backend = self._backend()
        backend.reset()
        backend.create_bucket(BUCKET, "us-east-1")
        self.asked.clear()
        self.fault = None

    def _bucket(self) -> Any:
        return self._backend().buckets[BUCKET]

    @staticmethod
    def _backend() -> Any:
        from moto.s3.models import s3_backends

        return s3_backends["123456789012"]["aws"]

    def gate(self, application: Any) -> Any:
        """The application behind signatures and faults."""

        def gated(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            asked = _asked(environ, len(body))
            self.asked.append(asked)
            wrong = _wrong_signature(environ, body)
            fault = f"403 {wrong}" if wrong else self.fault(asked) if self.fault else None
            if fault == "reset":
                _hang_up(environ)
                return []
            if fault == "cut":
                return _cut(application, environ, start)
            if fault:
                return _refused(fault, start)
            return application(environ, start)  # type: ignore[no-any-return]

        return gated


def _asked(environ: WSGIEnvironment, length: int) -> Asked:
    path = environ["PATH_INFO"].removeprefix(f"/{BUCKET}").lstrip("/")
    query = dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True))
    return Asked(environ["REQUEST_METHOD"], path, query, length)


def _refused(fault: str, start: StartResponse) -> list[bytes]:
    status, _, code = fault.partition(" ")
    start(f"{status} No", [("Content-Type", "application/xml")])
    return [ERROR.format(code).encode()]


def _cut(application: Any, environ: WSGIEnvironment, start: StartResponse) -> Iterator[bytes]:
    """Half of the answer, and then nothing."""
    whole = b"".join(application(environ, start))
    yield whole[: len(whole) // 2]
    _hang_up(environ)


def _hang_up(environ: WSGIEnvironment) -> None:
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)


# --- signatures ------------------------------------------------------------------------------------------------------


def _wrong_signature(environ: WSGIEnvironment, body: bytes) -> str:
    """Why a request isn't what its sender signed. Source: AWS, Signature Version 4 signing process."""
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, SignedHeaders=([^,]+),"
        r" Signature=([0-9a-f]{64})",
        environ.get("HTTP_AUTHORIZATION", ""),
    )
    if not found:
        return "AccessDenied"
    key, day, region, names, given = found.groups()
    if key != KEY:
        return "InvalidAccessKeyId"
    claimed = environ.get("HTTP_X_AMZ_CONTENT_SHA256", "")
    if claimed != hashlib.sha256(body).hexdigest():
        return "XAmzContentSHA256Mismatch"
    if not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(names.split(";")):
        return "AccessDenied"
    scope = f"{day}/{region}/s3/aws4_request"
    text = "\n".join(
        ["AWS4-HMAC-SHA256", environ["HTTP_X_AMZ_DATE"], scope, _request_hash(environ, names, claimed)]
    )
    signing = f"AWS4{SECRET}".encode()
    for part in (*scope.split("/"), text):
        signature = signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
    return "" if hmac.compare_digest(signature.hex(), given) else "SignatureDoesNotMatch"


def _request_hash(environ: WSGIEnvironment, names: str, payload: str) -> str:
    pairs = parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)
    query = "&".join(
        sorted(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
    )
    lines = "".join(f"{name}:{_header(environ, name)}\n" for name in names.split(";"))
    request = "\n".join(
        [
            environ["REQUEST_METHOD"],
            quote(environ["PATH_INFO"], safe="/-_.~"),
            query,
            lines,
            names,
            payload,
        ]
    )
    return hashlib.sha256(request.encode()).hexdigest()


def _header(environ: WSGIEnvironment, name: str) -> str:
    plain = name.upper().replace("-", "_")
    value = (
        environ.get(plain) if plain in {"CONTENT_TYPE", "CONTENT_LENGTH"} else environ.get(f"HTTP_{plain}")
    )
    return " ".join(str(value or "").split())


@contextmanager
def serving() -> Iterator[S3Server]:
    """The store on a free port of this machine; credentials are in the environment, for children too."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, *_: Any) -> None:
            """Nothing: a test reads what was asked."""

    server = S3Server()
    application = server.gate(DomainDispatcherApplication(create_backend_app))
    listening = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    server.url = f"http://127.0.0.1:{listening.port}"
    thread = Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        server.empty()
        yield server
    listening.shutdown()
    thread.join()
    listening.server_close()
