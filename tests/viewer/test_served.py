"""Downloads from the real server: broken connections, clients that leave, and memory."""

from __future__ import annotations

import http.client
import io
import os
import socket
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.db import connection

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.records.models import Patient
from portal.serving.programs import web
from sharing.models import Download, Share
from sharing.revoke import revoke
from tests.cast import actor_of
from tests.ports import free_port
from tests.viewer.conftest import Stored, browser_of, entry_of, flip, items_of, share_of
from tests.viewer.stored_study import MadeSeries, store_study
from viewer.piecemeal import PIECE_BYTES

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
MIB = 1024 * 1024
# What a loopback socket may hold that the client hasn't read yet, on both sides together.
SOCKET_BYTES = 16 * MIB


@dataclass
class Server:
    """granian with its workers, as `manage.py serve` starts it, over this test's database."""

    process: subprocess.Popen[bytes]
    port: int

    @contextmanager
    def get(self, path: str, cookie: str, **headers: str) -> Iterator[http.client.HTTPResponse]:
        """Ask for a path; the connection is closed behind the block, whatever was read."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as line:
            line.request("GET", path, headers={"Cookie": cookie, **headers})
            with line.getresponse() as answer:
                yield answer

    def peak_bytes(self) -> int:
        """The most resident memory its workers ever had."""
        told = subprocess.run(
            ["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=True
        )
        lines = [
            line
            for pid in told.stdout.split()
            for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        ]
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


@pytest.fixture
def server() -> Iterator[Server]:
    if connection.vendor != "sqlite":
        pytest.skip("the server is given the test's SQLite file")
    port = free_port()
    database = f"sqlite:///{connection.settings_dict['NAME']}"
    environment = {**os.environ, "DATABASE_URL": database, "SCANPASS_STATE": str(settings.STATE_DIR)}
    with subprocess.Popen(web(port).command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
        until(lambda: answers(port))
        yield Server(process, port)
        process.terminate()


def answers(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(is_so: Callable[[], bool]) -> None:
    """Wait for it, at most a minute."""
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.1)
    raise AssertionError("it never came to be")


def codes() -> list[str]:
    return list(
        AuditEntry.objects.filter(code__startswith="study.download")
        .order_by("n")
        .values_list("code", flat=True)
    )


def large_study(patient: Patient, size_mb: int) -> Stored:
    """A study of so many files of 1 MB."""
    file = b"\0" * 128 + b"DICM" + np.random.default_rng(4).bytes(1_000_000)
    series = [MadeSeries(np.zeros((1, 64, 64), np.uint16), originals=[file] * size_mb)]
    return Stored(store_study(patient, series), series)


def cookie_of(share: Share) -> str:
    return browser_of(share).cookies.output(attrs=[], header="").strip()


def test_a_client_that_leaves_is_noted_and_goes_on_later(server: Server, pat: Patient, dana: User) -> None:
    stored = large_study(pat, 60)
    cookie, path = cookie_of(share_of(stored, dana)), f"{stored.root}/download"
    with server.get(path, cookie) as first:
        got = first.read(5 * MIB)
    until(lambda: codes() == ["study.download-started", "study.download-broken"])
    part = {"Range": f"bytes={len(got)}-", "If-Range": first.headers["ETag"]}
    with server.get(path, cookie, **part) as rest:
        assert rest.status == 206
        assert zipfile.ZipFile(io.BytesIO(got + rest.read())).testzip() is None
    until(lambda: codes()[-1] == "study.downloaded")
    assert Download.objects.get().completed_at is not None


def test_a_revoked_share_breaks_the_connection(server: Server, pat: Patient, dana: User) -> None:
    stored = large_study(pat, 120)
    share = share_of(stored, dana)
    with server.get(f"{stored.root}/download", cookie_of(share)) as answer:
        before = len(answer.read(MIB))
        revoke(share, actor=actor_of(dana))
        with pytest.raises(http.client.IncompleteRead) as broken:
            answer.read()
    assert before + len(broken.value.partial) < SOCKET_BYTES
    until(lambda: codes() == ["study.download-started", "study.download-broken"])
    assert Download.objects.get().completed_at is None
    with server.get(f"{stored.root}/heartbeat", cookie_of(share)) as pulse:
        assert pulse.status == 410


def test_damage_behind_the_first_piece_of_a_batch_breaks_the_connection(
    server: Server, pat: Patient, dana: User
) -> None:
    noise = np.random.default_rng(7).integers(0, 4096, (8, 512, 512)).astype(np.uint16)
    series = [MadeSeries(noise)]
    stored = Stored(store_study(pat, series), series)
    cookie = cookie_of(share_of(stored, dana))
    with server.get(stored.frames("0-7"), cookie) as answer:
        whole = answer.read()
    assert len(whole) > 2 * PIECE_BYTES
    flip(entry_of(stored, 6), 150)
    with server.get(stored.frames("0-7"), cookie) as answer:
        assert answer.status == 200
        with pytest.raises(http.client.IncompleteRead) as broken:
            answer.read()
    got = broken.value.partial
    assert whole.startswith(got)
    assert {index for index, _ in items_of(got)} <= set(range(6))
    with server.get(stored.frames("6"), cookie) as refused:
        assert refused.status == 503
    with server.get(stored.frames("7"), cookie) as beyond:
        assert beyond.status == 200


def test_a_large_study_needs_no_more_memory_than_a_small_one(
    server: Server, pat: Patient, dana: User
) -> None:
    def download(stored: Stored) -> int:
        cookie = cookie_of(share_of(stored, dana))
        for _ in range(6):  # until both workers have had one
            with server.get(f"{stored.root}/download", cookie) as answer:
                while answer.read(MIB):
                    pass
        return server.peak_bytes()

    small = download(large_study(pat, 40))
    large = download(large_study(pat, 400))
    assert large - small < 40 * MIB
