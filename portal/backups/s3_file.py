"""An object of a bucket as a file: one request as long as it is read in order, another from where it was cut off."""

from __future__ import annotations

import io
import time
from typing import Any

from botocore.exceptions import BotoCoreError

from portal.backups.s3_bucket import Bucket
from portal.backups.target import Refused
from portal.errors import Unavailable
from portal.positions import PositionedFile

BUFFER_BYTES = 1 << 20
PAUSES_S: tuple[float, ...] = (0.5, 2, 8, 30)  # between tries that bring nothing


def open_object(bucket: Bucket, path: str, length: int | None = None) -> io.BufferedReader:
    """The object, to be read and sought in; `length` where it is known. Raises `FileNotFoundError`, `Unavailable`."""
    return io.BufferedReader(
        _Object(bucket, path, bucket.length(path) if length is None else length), BUFFER_BYTES
    )


class _Object(PositionedFile):
    def __init__(self, bucket: Bucket, path: str, length: int) -> None:
        super().__init__(length)
        self._bucket, self._path = bucket, path
        self._body: Any = None

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        before = self.position
        if super().seek(offset, whence) != before:
            self._drop()
        return self.position

    def readinto(self, room: Any) -> int:
        """Fill the front of `room`; a connection that is cut off is made again from where it was."""
        wanted = min(len(room), self.length - self.position)
        if wanted <= 0:
            return 0
        for pause_s in (*PAUSES_S, None):
            block = self._some(wanted)
            if block:
                room[: len(block)] = block
                self.position += len(block)
                return len(block)
            if pause_s is None:
                break
            time.sleep(pause_s)
        raise Unavailable("The store of the backups breaks off again and again. Try again later.")

    def _some(self, wanted: int) -> bytes:
        """Up to so many bytes; none when the store was out of reach, or the connection broke or ended early."""
        try:
            if self._body is None:
                self._body = self._bucket.stream(self._path, self.position)
            block: bytes = self._body.read(wanted)
        except Refused:
            raise
        except (BotoCoreError, Unavailable):
            block = b""
        if not block:
            self._drop()
        return block

    def _drop(self) -> None:
        body, self._body = self._body, None
        if body is not None:
            body.close()

    def close(self) -> None:
        self._drop()
        super().close()
