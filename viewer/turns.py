"""How many batches one process works on at once.

More than two only fight over the interpreter and hold 4 MiB each: with four viewers a process, taking turns served
about a twentieth more frames (`python -m bench.stream`). What waits here waits for a millisecond or two of work, never
for a slow client: the answer, or the first piece of one in pieces (`viewer.piecemeal`), is there before the turn ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import BoundedSemaphore, Lock
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase

AT_ONCE: Final = 2
_turns: Final = BoundedSemaphore(AT_ONCE)
_counting: Final = Lock()
_under_way = 0

View = Callable[..., HttpResponseBase]


def in_turn(view: View) -> View:
    """The view, of which `AT_ONCE` run at the same time in this process."""

    @wraps(view)
    def waiting(request: HttpRequest, **place: Any) -> HttpResponseBase:
        with _counted(), _turns:
            return view(request, **place)

    return waiting


def is_alone() -> bool:
    """Whether no other batch of this process waits or is worked on."""
    return _under_way == 1


@contextmanager
def _counted() -> Iterator[None]:
    global _under_way
    with _counting:
        _under_way += 1
    try:
        yield
    finally:
        with _counting:
            _under_way -= 1
