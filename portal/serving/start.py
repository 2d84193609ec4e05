"""The order of a start: claim, migrate, collect, prepare, run. Django is loaded by then."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections

from portal.jobs.sweep import resume_all, sweep_once
from portal.jobs.workers import release
from portal.serving import assets, claims, greeting, keys, programs
from portal.serving.supervisor import Supervisor


def _nothing(state: Path) -> None:
    """A real installation's state is taken as it is."""


def start(prepare: Callable[[Path, str], str], *, tidy: Callable[[Path], None] = _nothing) -> None:
    """Bring the state up to date and serve it until a signal ends all.

    `tidy(state)` runs once the state is claimed, before the database is opened; `prepare(state, base_url)` after
    the migrations, and the text it returns is printed before the ready line. Raises `CannotStart`.
    """
    state, port = Path(settings.STATE_DIR), settings.PORT
    with claims.the_state(state):
        claims.check_port(port)
        tidy(state)
        keys.prepare(settings.KEYRING_PATH, state=state, accepts_colocated=settings.ACCEPT_COLOCATED_KEYS)
        # Not earlier: the checks look at the key file too.
        BaseCommand().check()
        call_command("migrate", interactive=False, verbosity=0)
        # The state is claimed, so no worker lives: what one held when it was killed is free at once.
        resume_all()
        assets.collect(state)
        words = prepare(state, settings.PUBLIC_BASE_URL)
        # The children open their own connections; one kept here would only hold a snapshot open.
        connections.close_all()
        dead: SimpleQueue[str] = SimpleQueue()
        Supervisor(
            [programs.web(port), programs.tasks()],
            sweep=lambda: _sweep(dead),
            on_end=dead.put,
            is_ready=lambda: claims.answers(port),
            on_ready=lambda: _greet(words, port),
        ).run()


def _sweep(dead: SimpleQueue[str]) -> None:
    """Free what the dead were doing, then sweep; here and not where they are buried, for the database may be busy."""
    try:
        while not dead.empty():
            _release(dead)
        sweep_once()
    except Exception:
        # A connection that failed is thrown away, so the next turn starts with a new one.
        connections.close_all()
        raise


def _release(dead: SimpleQueue[str]) -> None:
    mark = dead.get()
    try:
        release(mark)
    except Exception:
        dead.put(mark)
        raise


def _greet(words: str, port: int) -> None:
    print(words, greeting.ready_line(port), sep="\n", file=sys.stdout, flush=True)
