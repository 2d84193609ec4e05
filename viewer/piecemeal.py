"""A batch handed over piece by piece: one leaves while the next is opened.

A reader alone gets 4 MiB a third sooner so. Beside others every core is busy anyway and pieces only cost, and a slow
reader holds a thread for as long as it reads; so one batch in each process is handed over so, and only while no other
is under way (`python -m bench.stream`).

What is counted has been counted whole before the first piece. The first is verified before the answer begins, each
other before it leaves: an item that can't be trusted is refused where it is asked for first, and else cuts the answer
short before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from time import monotonic
from typing import Final
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from portal.errors import ScanpassError
from sharing.access import Grant, ShareEnded, still_live
from viewer.damage import recording_damage
from viewer.frames import Batch
from viewer.stored import StoredStudy
from viewer.turns import is_alone

PIECE_BYTES: Final = 800_000  # a few frames: what was just opened is still near the processor when it is sent
# A reader who took longer over a piece is asked for again: nothing is opened long after a share was revoked.
ASK_AGAIN_S: Final = 0.5

CONTENT_TYPE: Final = "application/octet-stream"

_seat: Final = Lock()


def answer(grant: Grant, series: UUID, batch: Batch, stored: StoredStudy) -> HttpResponseBase:
    """The batch, which was counted: in pieces to a reader alone, else whole. Raises VaultDamaged."""
    is_one_piece = len(batch.items) == 1 or batch.length_bytes <= PIECE_BYTES
    if is_one_piece or not is_alone() or not _seat.acquire(blocking=False):
        with recording_damage(grant, series):
            return HttpResponse(batch.read(stored), content_type=CONTENT_TYPE)
    pieces = Piecemeal(grant, series, stored, batch.parts(PIECE_BYTES))
    length = {"Content-Length": str(batch.length_bytes)}
    return StreamingHttpResponse(pieces, content_type=CONTENT_TYPE, headers=length)


class Piecemeal:
    """The pieces of a batch, for the one reader who has the seat; whoever has the object closes it."""

    def __init__(self, grant: Grant, series: UUID, stored: StoredStudy, parts: list[Batch]) -> None:
        """Opens the first piece. Raises VaultDamaged, and then the seat is free."""
        self._grant, self._series, self._stored, self._parts = grant, series, stored, parts
        self._asked_at = monotonic()
        self._has_seat = True
        try:
            self._first = [self._open(parts[0])]
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        """The pieces. Ends early where an item is damaged or access is over; the answer's length tells the reader."""
        # No piece has a name here: one that is held while the next is made costs fresh pages from the kernel each time.
        yield self._first.pop()
        for part in self._parts[1:]:
            try:
                self._check_again()
                if part is self._parts[-1]:
                    yield self._last(part)
                else:
                    yield self._open(part)
            except ScanpassError:
                return

    def close(self) -> None:
        """Give the seat back; once is enough, and twice does nothing."""
        if self._has_seat:
            self._has_seat = False
            _seat.release()

    def _check_again(self) -> None:
        if monotonic() - self._asked_at > ASK_AGAIN_S:
            if not still_live(self._grant):
                raise ShareEnded
            self._asked_at = monotonic()

    def _last(self, part: Batch) -> bytes:
        """The last piece; whoever asks while it is on its way may have the seat."""
        try:
            return self._open(part)
        finally:
            self.close()

    def _open(self, part: Batch) -> bytes:
        with recording_damage(self._grant, self._series):
            return part.read(self._stored)
