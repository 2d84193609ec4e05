"""kill -9 of the web server in the middle of an upload: what was answered is there, and the upload goes on."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from portal.accounts.models import Role
from portal.records.models import UploadedFile, UploadPart
from portal.records.spool import open_spooled
from tests.cast import make_patient, make_practice, make_staff, signed_in
from tests.flows.test_ingest_survives_kill import database_url
from tests.portal.records.test_uploads import BYTES, TUS, create, opened
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20
TOKEN = "a" * 32


class WebServer:
    """A real granian over the test's own database and state."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "SCANPASS_STATE": str(settings.STATE_DIR),
        }
        where = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        command = [sys.executable, "-m", "granian", *where, "--no-log", "portal.serving.web:application"]
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        self._wait_until(is_open=True)

    def _wait_until(self, *, is_open: bool) -> None:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                found = True
            except OSError:
                found = False
            if found is is_open:
                return
            time.sleep(0.1)
        pytest.fail("the web server did not start, or did not end")

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None
            # Its worker ends by a signal of its own, a moment later.
            self._wait_until(is_open=False)


@pytest.fixture
def web(transactional_db: None) -> Iterator[WebServer]:
    server = WebServer()
    server.start()
    yield server
    server.kill()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_upload_goes_on_after_the_web_server_was_killed(web: WebServer) -> None:
    practice = make_practice()
    browser = signed_in(make_staff(practice, Role.FRONT_DESK))
    upload = opened(browser, make_patient(practice))
    plain = os.urandom(6 * MIB + 12_345)
    location = create(browser, upload, "scan.zip", len(plain)).headers["Location"]
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    headers = {
        **TUS,
        "Host": "127.0.0.1",
        "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; csrftoken={TOKEN}",
        "X-CSRFToken": TOKEN,
    }

    half = http.client.HTTPConnection("127.0.0.1", web.port)
    half.putrequest("PATCH", location, skip_host=True)
    for name, value in {
        **headers,
        "Upload-Offset": "0",
        "Content-Type": BYTES,
        "Content-Length": str(len(plain)),
    }.items():
        half.putheader(name, value)
    half.endheaders()
    half.send(plain[: 3 * MIB + 500_000])
    for _ in range(300):
        if UploadPart.objects.count() >= 2:
            break
        time.sleep(0.1)
    web.kill()
    half.close()

    web.start()
    standing = ask(web, "HEAD", location, headers)
    offset = int(standing.headers["Upload-Offset"])
    assert 2 * MIB <= offset < len(plain)
    rest = {**headers, "Upload-Offset": str(offset), "Content-Type": BYTES}
    assert ask(web, "PATCH", location, rest, plain[offset:]).status == 204
    assert open_spooled(UploadedFile.objects.get()).read() == plain


def ask(
    web: WebServer, method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> http.client.HTTPResponse:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer
