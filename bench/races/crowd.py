"""A hundred who act at once: four processes of 25 threads, each thread with a database connection of its own."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

PROCESSES, THREADS = 4, 25
SIZE = PROCESSES * THREADS


class Answers(NamedTuple):
    """What each got, by name, and how many guesses were compared with the secret."""

    told: list[str]
    compared: int


class Crowd:
    """Gives each of a hundred the same act; they start together."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def at_once(self, act: str, *subjects: UUID) -> Answers:
        """Let member n do the act to subject n, counted round."""
        asked = [self._pool.submit(_together, act, subjects, first) for first in range(0, SIZE, THREADS)]
        parts = [one.result() for one in asked]
        return Answers([told for part in parts for told in part.told], sum(part.compared for part in parts))


@contextmanager
def gathered() -> Iterator[Crowd]:
    from django.db import connections

    connections.close_all()  # no child may inherit an open one
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(
        PROCESSES, mp_context=context, initializer=_arrive, initargs=(context.Barrier(PROCESSES),)
    ) as pool:
        yield Crowd(pool)


# --- in a child ----------------------------------------------------------------------------------------------------

_threads: ThreadPoolExecutor
_everybody: Any
_compared: list[str] = []


def _arrive(everybody: Any) -> None:
    global _threads, _everybody
    _threads, _everybody = ThreadPoolExecutor(THREADS), everybody
    from sharing import matching, verify

    _watch(verify, "is_code")
    _watch(matching, "_same")


def _watch(module: Any, name: str) -> None:
    """Count each comparison with a secret."""
    compare = getattr(module, name)

    def watched(given: str, *args: Any, **named: Any) -> bool:
        if args[0] is not None:  # without a try left there is nothing to compare with
            _compared.append(name)
        return bool(compare(given, *args, **named))

    setattr(module, name, watched)


def _together(act: str, subjects: tuple[UUID, ...], first: int) -> Answers:
    from bench.races import acts

    deed = getattr(acts, act)
    start = threading.Barrier(THREADS + 1)
    _compared.clear()
    asked = [
        _threads.submit(_one, start, deed, subjects[number % len(subjects)], number)
        for number in range(first, first + THREADS)
    ]
    _everybody.wait()
    start.wait()
    return Answers([one.result() for one in asked], len(_compared))


def _one(start: threading.Barrier, deed: Callable[[UUID, int], None], subject: UUID, number: int) -> str:
    start.wait()
    try:
        deed(subject, number)
    except Exception as error:
        return type(error).__name__
    return "done"
