"""A vendor on this machine: a real HTTP server that knows what it was sent, and can be told to fail."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Text:
    """One text that the vendor took."""

    to: str
    body: str
    reference: str
    asked: Asked
    message: str


class WrongRequest(Exception):
    """The request isn't what the vendor's interface asks for: a mistake of ours, answered with this status."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass
class Vendor:
    """Subclasses say in `take` what their interface asks for, and in `refusal` how they refuse."""

    texts: list[Text] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # number: trouble
    status: int = 0  # answer everything with this; 0: work
    silent: bool = False  # close the connection without an answer

    def __enter__(self) -> Vendor:
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                asked = Asked(self.path, dict(self.headers.items()), self.rfile.read(length))
                if vendor.silent:
                    self.close_connection = True
                    return
                status, answer = vendor.answer(asked)
                raw = json.dumps(answer).encode()
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", f"{vendor.url}/elsewhere")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def forget(self) -> None:
        """Begin again as if just started."""
        self.texts.clear()
        self.wrong.clear()
        self.refused.clear()
        self.status, self.silent = 0, False

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if self.status:
            return self.status, {"message": "It is all too much, said +12015550123."}
        try:
            text = self.take(asked)
        except WrongRequest as error:
            self.wrong.append(str(error))
            return error.status, {"message": str(error)}
        if text.to in self.refused:
            return self.refusal(text, self.refused[text.to])
        self.texts.append(text)
        return self.accepted(text)

    def take(self, asked: Asked) -> Text:
        raise NotImplementedError

    def refusal(self, text: Text, trouble: str) -> tuple[int, Any]:
        raise NotImplementedError

    def accepted(self, text: Text) -> tuple[int, Any]:
        raise NotImplementedError


def demand(condition: object, status: int, why: str) -> None:
    if not condition:
        raise WrongRequest(status, why)
