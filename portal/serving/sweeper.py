"""The sweep every few seconds: jobs whose worker died are sent again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread

log = logging.getLogger(__name__)

SWEEP_EVERY_S = 5.0


class Sweeper(Thread):
    """Calls `sweep` until stopped; an error is logged by its class alone and the next turn tries again."""

    def __init__(self, sweep: Callable[[], object], *, every_s: float = SWEEP_EVERY_S) -> None:
        # A daemon, because a sweep that waits for the database must not hold up the end of the process.
        super().__init__(name="sweep", daemon=True)
        self._sweep = sweep
        self._every_s = every_s
        self._stopped = Event()

    def run(self) -> None:
        """Sweep at once, because a start after a crash finds work, and then in every period."""
        while not self._stopped.is_set():
            try:
                self._sweep()
            except Exception as error:
                # Any error: the sweep is what finishes work after a failure, so nothing may end it for good.
                log.warning("The sweep failed (%s); it tries again.", type(error).__name__)
            self._stopped.wait(self._every_s)

    def stop(self) -> None:
        """Let the present turn be the last."""
        self._stopped.set()
