"""One supervised program: started, watched, restarted with growing pauses, ended with all it started."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

from portal.serving.programs import Program
from portal.serving.refusal import CannotStart

ROOT = Path(__file__).resolve().parents[2]
TETHER = Path(__file__).with_name("tether.py")
RESTARTS_MAX = 5
RESTARTS_WINDOW_S = 60.0
FIRST_PAUSE_S = 0.5


class Child:
    """A program and its present process, if any. Times are seconds of one monotonic clock.

    Each process gets a mark in its environment; `on_end` is told the mark once nothing of the process lives any more.
    """

    def __init__(self, program: Program, *, on_end: Callable[[str], object] = lambda _: None) -> None:
        self.program = program
        self._on_end = on_end
        self._mark = ""
        self.process: subprocess.Popen[bytes] | None = None
        self._ended_at: deque[float] = deque()
        self._restart_at = 0.0

    def start(self) -> None:
        """Start the program in a session of its own, so that Ctrl-C reaches only the supervisor.

        Must be called in the main thread: the death signal fires when the *thread* that forked ends.
        """
        tethered = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *self.program.command]
        self._mark = secrets.token_hex(8)
        self.process = subprocess.Popen(
            tethered,
            cwd=ROOT,
            env={**os.environ, "SCANPASS_WORKER": self._mark},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def watch(self, moment: float) -> None:
        """Notice an end, and start again when the pause is over.

        Raises `CannotStart` when the program has ended more than RESTARTS_MAX times in RESTARTS_WINDOW_S.
        """
        if self.process is None:
            if moment >= self._restart_at:
                self.start()
        elif self.process.poll() is not None:
            self._note_end(moment)

    def _note_end(self, moment: float) -> None:
        self.kill_all()
        self._on_end(self._mark)
        self._ended_at.append(moment)
        while self._ended_at[0] < moment - RESTARTS_WINDOW_S:
            self._ended_at.popleft()
        ends = len(self._ended_at)
        if ends > RESTARTS_MAX:
            raise CannotStart(
                f"{self.program.name} ended {ends} times within a minute, so Scanpass stops."
                " The lines above say why; correct that and start again."
            )
        self._restart_at = moment + FIRST_PAUSE_S * 2 ** (ends - 1)

    def is_running(self) -> bool:
        """Whether the process has been started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def ask_to_end(self) -> None:
        """Send SIGTERM to the program alone: it ends its own workers in its own order."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill_all(self) -> None:
        """Kill the program and whatever it left behind in its session."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None
