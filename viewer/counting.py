"""Counting what leaves, one after the other within a process where the database lets only one write at a time.

SQLite sends a second writer to sleep and has it try again, at eight viewers a quarter of all time. Threads of this
process queue here instead and wake at once; other processes still meet in the database. PostgreSQL needs no queue.
"""

from __future__ import annotations

from contextlib import nullcontext
from threading import Lock
from typing import Final
from uuid import UUID

from django.db import connection

from sharing.access import Grant, release

_TURN: Final = Lock()


def count(grant: Grant, series: UUID, *, level: int, frames: int, length_bytes: int) -> None:
    """`sharing.access.release`, in turn. Raises what it raises; then nothing may leave."""
    with _TURN if connection.vendor == "sqlite" else nullcontext():
        release(grant, series, level=level, frames=frames, length_bytes=length_bytes)
