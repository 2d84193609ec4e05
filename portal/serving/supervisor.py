"""Keeps the programs running until a signal ends all of them.

One loop in the main thread watches the children; the sweep has a thread, so a busy database delays neither a
restart nor the end.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType

from portal.serving.child import Child
from portal.serving.programs import Program
from portal.serving.refusal import CannotStart
from portal.serving.sweeper import Sweeper

TICK_S = 0.1
# Time for a download or a task under way; then everything is killed. The whole end stays under 10 s.
END_WITHIN_S = 7.0
READY_WITHIN_S = 60.0


class Supervisor:
    """Runs the programs, the sweep and, once `is_ready` first says so, `on_ready`; `on_end` is told who died."""

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        sweep: Callable[[], object],
        is_ready: Callable[[], bool],
        on_ready: Callable[[], None],
        on_end: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._children = [Child(program, on_end=on_end) for program in programs]
        self._sweeper = Sweeper(sweep)
        self._is_ready = is_ready
        self._on_ready = on_ready
        self._stops = False

    def run(self) -> None:
        """Return after SIGTERM, SIGINT or SIGHUP, when every child has ended.

        Raises `CannotStart` when a program keeps ending or the site does not answer within READY_WITHIN_S.
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note_signal)
        try:
            self._sweeper.start()
            self._wait_until_ready()
            while not self._stops:
                self._tick()
        finally:
            self._end()

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self._stops = True

    def _tick(self) -> None:
        for child in self._children:
            child.watch(time.monotonic())
        time.sleep(TICK_S)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._stops:
            self._tick()
            if self._all_run() and self._is_ready():
                self._on_ready()
                return
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"Scanpass did not answer within {READY_WITHIN_S:.0f} s."
                    " The lines above say why; correct that and start again."
                )

    def _all_run(self) -> bool:
        return all(child.is_running() for child in self._children)

    def _end(self) -> None:
        self._sweeper.stop()
        for child in self._children:
            child.ask_to_end()
        deadline = time.monotonic() + END_WITHIN_S
        while time.monotonic() < deadline and any(child.is_running() for child in self._children):
            time.sleep(TICK_S / 2)
        for child in self._children:
            child.kill_all()
