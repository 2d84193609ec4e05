"""A tus client that is cut off and goes on: it asks where the file stands and sends the rest, until all is there."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPException

from tests.flows.desk import PIECE, TUS
from tests.flows.http_client import Browser

STEP_BYTES = 64 * 1024
TRIES_MAX = 100
PAUSE_S = 0.2


@dataclass
class Sender:
    """Sends one file. `deeds` are done when so many bytes of it have been handed to the network for the first time."""

    browser: Browser
    content: bytes
    deeds: dict[int, Callable[[], None]]
    address: str = ""
    # What HEAD told after each cut: the offsets from which the sender went on.
    offsets: list[int] = field(default_factory=list)

    def announce(self, files: str, name: str) -> Sender:
        """Make the file on the server."""
        words = base64.b64encode(name.encode()).decode()
        facts = {"Upload_Length": str(len(self.content)), "Upload_Metadata": f"filename {words}"}
        answer = self.browser.send("POST", files, **TUS, **facts)
        assert answer.status == 201, answer.text
        self.address = answer.location
        return self

    def send(self) -> Sender:
        """All of it, however often it is cut off."""
        for _ in range(TRIES_MAX):
            offset = self._standing()
            if offset is None:
                time.sleep(PAUSE_S)
                continue
            self.offsets.append(offset)
            if offset == len(self.content):
                return self
            self._send_from(offset)
        raise AssertionError(f"not all was taken after {TRIES_MAX} tries: {self.offsets}")

    def _standing(self) -> int | None:
        """Where the server says the file stands; None while it does not answer."""
        try:
            answer = self.browser.send("HEAD", self.address, **TUS)
        except (OSError, HTTPException):
            return None
        return int(answer.headers["Upload-Offset"]) if answer.status == 200 else None

    def _send_from(self, offset: int) -> None:
        headers = {
            "Tus-Resumable": "1.0.0",
            "Content-Type": PIECE["Content_Type"],
            "Content-Length": str(len(self.content) - offset),
            "Upload-Offset": str(offset),
            "X-CSRFToken": self.browser.cookie("csrftoken"),
        }
        try:
            self.browser.ask("PATCH", self.address, body=self._pieces(offset), headers=headers)
        except (OSError, HTTPException):
            pass  # cut off; the next HEAD tells what was kept

    def _pieces(self, offset: int) -> Iterator[bytes]:
        while offset < len(self.content):
            yield self.content[offset : offset + STEP_BYTES]
            offset += STEP_BYTES
            for place in sorted(place for place in self.deeds if place <= offset):
                self.deeds.pop(place)()
