"""Where checkpoints go: a folder (another machine's, a write-once disk), or somebody's HTTPS address.

    /mnt/witness/checkpoints           one file a checkpoint, 000000017.checkpoint
    https://witness.example/scanpass   a POST a checkpoint, with a signature under the secret both know

    Scanpass-Signature: t=<seconds since 1970>,v1=<HMAC-SHA256(secret, "<t>." ‖ body), hexadecimal>

The note proves itself; this signature only lets the receiver turn strangers away.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import os
import ssl
import time
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from django.conf import settings

from portal.env import secret_from_file
from portal.vault.disk import fsync_folder, make_folder

_TIMEOUT_S = 10


class CannotDeliver(Exception):
    """The place did not take it; the message says why, for the log and the compliance page."""


class Place(Protocol):
    """Takes each checkpoint once, in order; taking the same one again changes nothing."""

    name: str

    def put(self, sequence: int, note: str) -> None:
        """Keep the note for good, or raise CannotDeliver."""
        ...


def place_of(address: str) -> Place:
    """The place an address of the settings names. Plain HTTP is none."""
    if address.startswith("https://"):
        return Webhook(address)
    if "://" in address:
        return Unusable(address.partition("://")[0])
    return Folder(Path(address))


class Folder:
    """Files that are written once: an other content under the same name is refused, never written over."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.name = f"folder {folder}"[:200]

    def put(self, sequence: int, note: str) -> None:
        target = self._folder / f"{sequence:09d}.checkpoint"
        try:
            make_folder(self._folder)
            if target.exists():
                self._compare(target, note)
                return
            self._write(target, note.encode())
        except OSError as error:
            raise CannotDeliver(f"the folder can't be written ({error.strerror})") from error

    @staticmethod
    def _compare(target: Path, note: str) -> None:
        if target.read_text() != note:
            raise CannotDeliver("the folder holds another checkpoint of this number: look at both")

    def _write(self, target: Path, note: bytes) -> None:
        aside = target.with_suffix(".new")
        aside.unlink(missing_ok=True)
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444), "wb") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(target)
        fsync_folder(self._folder)


class Webhook:
    """An HTTPS address. Redirects are not followed: a checkpoint goes where the settings say."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        # Without path and query, which may hold a secret of the receiver's.
        self.name = f"https://{self._url.netloc}"[:200]

    def put(self, sequence: int, note: str) -> None:
        secret = secret_from_file(settings.CHECKPOINT_SECRET_PATH)
        if not secret:
            raise CannotDeliver(
                "the secret shared with the receiver is missing: SCANPASS_CHECKPOINT_SECRET_FILE"
            )
        body = note.encode()
        headers = {
            "Content-Type": "text/plain; charset=utf-8",
            "Scanpass-Sequence": str(sequence),
            "Scanpass-Signature": signature(secret, body, at=int(time.time())),
        }
        try:
            status = self._post(body, headers)
        except (OSError, http.client.HTTPException) as error:
            raise CannotDeliver(f"the address can't be reached ({type(error).__name__})") from error
        if not 200 <= status < 300:
            raise CannotDeliver(f"the address answered {status}")

    def _post(self, body: bytes, headers: dict[str, str]) -> int:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        connection = http.client.HTTPSConnection(self._url.netloc, timeout=_TIMEOUT_S, context=context)
        try:
            target = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
            connection.request("POST", target, body, headers)
            return connection.getresponse().status
        finally:
            connection.close()


class Unusable:
    """An address that can't be used; said once a try, and seen on the compliance page."""

    def __init__(self, scheme: str) -> None:
        self.name = f"{scheme} address"[:200]

    def put(self, sequence: int, note: str) -> None:
        raise CannotDeliver("checkpoints go to folders and https addresses only")


def signature(secret: str, body: bytes, *, at: int) -> str:
    """The header's value; `at` lets the receiver refuse an old one played again."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
