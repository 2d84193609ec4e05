"""A small web server that speaks the viewer's wire contract, and misbehaves when told to.

It serves the project's own static files and the viewer's own template inside a bare page, under the product's
Content-Security-Policy, so the browser tests need neither database nor vault.
"""

from __future__ import annotations

import json
import mimetypes
import struct
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from django.template import Context, Engine
from django.utils import translation

from portal.joined_modules import join
from portal.lean_static import ENTRIES, without_comments

from .fake_study import BATCH_BYTES, FakeSeries

PROJECT = Path(__file__).resolve().parents[3]
STUDY = "/studies/11111111-2222-3333-4444-555555555555"
POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; "
    "style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
mimetypes.add_type("text/javascript", ".js")


def served_script(name: str) -> str:
    """A script as collectstatic leaves it, save for the hash in its name."""
    if name in ENTRIES or name.endswith("_worker.js"):
        return join(name, served_module)
    return served_module(name)


def served_module(name: str) -> str:
    """A module without its comments."""
    return without_comments((PROJECT / "static" / name).read_text())


def _set_event() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass
class Behaviour:
    """What the server does wrong. Everything off means: as agreed."""

    ended_status: int = 0
    """Answer everything of the study with this status."""
    busy_items: set[tuple[int, int]] = field(default_factory=set)
    """(level, item) whose batch is answered with 503."""
    damaged: dict[tuple[int, int], str] = field(default_factory=dict)
    """(level, item) → "flip" | "short" | "long" | "swap" | "missing"."""
    batch_bytes: int = BATCH_BYTES
    heartbeat_s: float = 5
    expires_in_s: float | None = None
    clock_ahead_s: float = 0
    """The server's clock against the browser's."""
    delay_s: float = 0
    manifest_waits_for: threading.Event = field(default_factory=_set_event)
    """Keep the manifest back until this is set."""
    bytes_per_s: float = 0
    items_at_once: int = 0
    """Of a batch so many items are sent, the others once `goes_on` is set; 0: all."""
    goes_on: threading.Event = field(default_factory=threading.Event)
    allows_download: bool = True
    others: list[dict[str, str]] = field(default_factory=list)
    worker_type: str = "text/javascript"

    def bytes_at_once(self, batch: bytes) -> int:
        """Of a batch; 0: all."""
        end = 0
        for _ in range(self.items_at_once):
            if end < len(batch):
                end += 8 + int.from_bytes(batch[end + 4 : end + 8], "big")
        return end


class FakeServer:
    """Serves one study on a free port of the loopback interface; `requests` lists the paths asked for."""

    def __init__(self, series: list[FakeSeries], *, title: str = "Cone-beam CT", port: int = 0) -> None:
        self.series = {one.id: one for one in series}
        self.title = title
        self.behaviour = Behaviour()
        self.requests: list[str] = []
        self.sent: list[int] = []
        """Bytes of the bodies answered with, whether they were read to the end or not."""
        self.face = "patient"
        self.language = "en"
        handler = type("Handler", (_Handler,), {"fake": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop serving; a browser then meets a refused connection."""
        self._http.shutdown()
        self._http.server_close()

    def manifest(self) -> dict[str, Any]:
        """The manifest as the contract has it."""
        now = time.time() + self.behaviour.clock_ahead_s
        lifetime = self.behaviour.expires_in_s
        ends = None if lifetime is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + lifetime))
        return {
            "version": 1, "id": STUDY.rsplit("/", 1)[1], "generation": 1, "title": self.title,
            "date": "2026-03-12", "expires_at": ends, "batch_bytes": self.behaviour.batch_bytes,
            "heartbeat": {"url": f"{STUDY}/heartbeat", "every_s": self.behaviour.heartbeat_s},
            "allows_download": self.behaviour.allows_download,
            "download": f"{STUDY}/download" if self.behaviour.allows_download else None,
            "series": [one.manifest(STUDY) for one in self.series.values()],
            "others": self.behaviour.others,
        }  # fmt: skip

    def page(self) -> str:
        """The recipient's page: the product's template inside a bare base page."""
        engine = Engine(
            dirs=[str(Path(__file__).parent / "templates"), str(PROJECT / "templates")],
            libraries={"i18n": "django.templatetags.i18n", "static": "django.templatetags.static"},
        )
        first = next(iter(self.series.values()), None)
        preview = first.manifest(STUDY)["previews"][0]["url"] if first else ""
        context = {
            "manifest_url": f"{STUDY}/manifest.json", "face": self.face, "study_title": self.title,
            "practice_name": "Smile Dental", "practice_phone": "(555) 010-0199", "preview_url": preview,
            "floor": {"series": [self._floor(one) for one in self.series.values()]}, "language": self.language,
        }  # fmt: skip
        with translation.override(self.language):
            return engine.get_template("viewer/recipient.html").render(Context(context))

    @staticmethod
    def _floor(series: FakeSeries) -> dict[str, Any]:
        middle = len(series.frames) // 2
        return {
            "id": series.id, "title": series.title, "count": len(series.frames), "index": middle,
            "slice_url": f"{STUDY}/series/{series.id}/slices/{middle}.webp",
        }  # fmt: skip

    def batch(self, series: FakeSeries, level: int, ranges: str) -> tuple[int, bytes]:
        """Status and body of a batch."""
        items: list[int] = []
        for part in ranges.split(","):
            first, _, last = part.partition("-")
            items += range(int(first), int(last or first) + 1)
        if max(items) >= len(series.items[level]):
            return 404, b""
        if any((level, item) in self.behaviour.busy_items for item in items):
            return 503, b""
        body = b"".join(self._record(series, level, item) for item in items)
        if len(body) > self.behaviour.batch_bytes and len(items) > 1:
            return 413, json.dumps({"max_bytes": self.behaviour.batch_bytes}).encode()
        return 200, body

    def _record(self, series: FakeSeries, level: int, item: int) -> bytes:
        payload = series.items[level][item]
        damage = self.behaviour.damaged.get((level, item))
        if damage == "missing":
            return b""
        if damage == "flip":
            payload = payload[:20] + bytes([payload[20] ^ 255]) + payload[21:]
        elif damage == "short":
            payload = payload[: len(payload) // 2]
        elif damage == "long":
            payload += b"\0" * 8
        elif damage == "swap":
            item += 1
        return struct.pack(">II", item, len(payload)) + payload


class _Handler(BaseHTTPRequestHandler):
    fake: FakeServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if (
            path == "/favicon.ico"
        ):  # the browser asks for it whenever it likes: no part of what a page asks for
            self.send_error(404)
            return
        self.fake.requests.append(path)
        if path.startswith("/static/"):
            self._static(path)
        elif path == "/":
            self._send(200, self.fake.page().encode(), "text/html; charset=utf-8")
        elif path == "/blank":
            self._send(200, b"<!doctype html><title>blank</title>", "text/html; charset=utf-8")
        elif path.startswith(STUDY):
            self._study(path.removeprefix(STUDY).strip("/").split("/"))
        else:
            self._send(404, b"", "text/plain")

    def _static(self, path: str) -> None:
        file = PROJECT / path.lstrip("/")
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        if file.name == "decode_worker.js":
            kind = self.fake.behaviour.worker_type
        if file.suffix == ".js" and file.is_file():
            self._send(200, served_script(path.removeprefix("/static/")).encode(), kind)
        elif file.is_file():
            self._send(200, file.read_bytes(), kind)
        else:
            self._send(404, b"", "text/plain")

    def _study(self, parts: list[str]) -> None:
        behaviour = self.fake.behaviour
        time.sleep(behaviour.delay_s)
        match parts:
            case _ if behaviour.ended_status:
                self._send(behaviour.ended_status, b"{}", "application/problem+json")
            case ["manifest.json"]:
                behaviour.manifest_waits_for.wait(60)
                self._send(200, json.dumps(self.fake.manifest()).encode(), "application/json")
            case ["heartbeat"]:
                self._send(204, b"", "text/plain")
            case ["series", series, "levels", level, "frames", ranges]:
                status, body = self.fake.batch(self.fake.series[series], int(level), ranges)
                self._send(status, body, "application/octet-stream", pause_at=behaviour.bytes_at_once(body))
            case ["series", series, "previews", name]:
                self._send(200, self.fake.series[series].webp(name.removesuffix(".webp")), "image/webp")
            case ["series", series, "slices", name]:
                index = int(name.removesuffix(".webp"))
                self._send(200, self.fake.series[series].webp("image", index), "image/webp")
            case _:
                self._send(404, b"", "text/plain")

    def _send(self, status: int, body: bytes, kind: str, pause_at: int = 0) -> None:
        self.send_response_only(status)
        self.send_header("Date", formatdate(time.time() + self.fake.behaviour.clock_ahead_s, usegmt=True))
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.fake.sent.append(len(body))
        try:
            self._write(body[:pause_at])
            if pause_at:
                self.fake.behaviour.goes_on.wait(60)
            self._write(body[pause_at:])
        except ConnectionError:
            self.close_connection = True

    def _write(self, body: bytes) -> None:
        speed = self.fake.behaviour.bytes_per_s
        if not speed:
            self.wfile.write(body)
            return
        for start in range(0, len(body), 16384):
            part = body[start : start + 16384]
            self.wfile.write(part)
            time.sleep(len(part) / speed)
