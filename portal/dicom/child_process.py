"""Starting, limiting, feeding and ending the confined child, from the parent's side.

Limits are set from outside (prlimit), where a taken-over child can't reach them. Linux only.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from portal.dicom.content import WINDOW_BYTES, Content
from portal.dicom.wire import HEAD, MAX_JSON_BYTES, MAX_PAYLOAD_BYTES, pack

GIB: Final = 1 << 30
CPU_S: Final = 30
START_S: Final = 30.0
PIPE_BYTES: Final = 1 << 20
F_SETPIPE_SZ: Final = 1031
TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")
ROOT: Final = str(Path(__file__).resolve().parents[2])
START: Final = (
    "import sys; sys.path.insert(0, {root!r}); from portal.dicom.child import main; main({fd}, {pid})"
)
ENVIRONMENT: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}
"""All the child gets to see: the parent's environment holds secrets. Threads would need `clone`, and address space."""


class ChildGone(Exception):
    """The child ended, hung or talked nonsense; `code` is the verdict on the file it had."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ChildProcess:
    """One child, from start to end. Raises `ChildGone` from any method once it can't be talked to."""

    def __init__(self) -> None:
        self._input_fd = os.memfd_create("scan", os.MFD_CLOEXEC)
        self._content: Content | None = None
        request_end, self._requests = os.pipe()
        self._answers, answer_end = os.pipe()
        self._process = self._start(request_end, answer_end)
        for pipe in (self._answers, self._requests):
            fcntl.fcntl(pipe, F_SETPIPE_SZ, PIPE_BYTES)
        os.set_blocking(self._requests, False)
        self._poll = select.poll()
        self._poll.register(self._answers, select.POLLIN)
        self.confinement = self._hello()

    def _start(self, request_end: int, answer_end: int) -> subprocess.Popen[bytes]:
        """An isolated interpreter, with read-only sight of the shared memory its files lie in."""
        read_only = os.open(f"/proc/self/fd/{self._input_fd}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-c", START.format(root=ROOT, fd=read_only, pid=os.getpid())],
                stdin=request_end,
                stdout=answer_end,
                stderr=subprocess.DEVNULL,
                pass_fds=[read_only],
                env=ENVIRONMENT,
                cwd="/",
            )
        finally:
            for fd in (read_only, request_end, answer_end):
                os.close(fd)

    def _hello(self) -> str:
        try:
            message, _ = self.receive(START_S)
        except ChildGone:
            self.kill()
            raise
        return str(message.get("ready"))

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it is still running."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it at once and free what it held; it has nothing to save."""
        self._process.kill()
        self._process.wait()
        for fd in (self._requests, self._answers, self._input_fd):
            os.close(fd)

    def send(self, request: dict[str, Any], content: Content) -> None:
        """Set the limits of a file, and ask. A small one is lent whole, a large one as the child asks for it."""
        self._content = content
        lent = content.length if content.length <= WINDOW_BYTES else 0
        self._lend(0, lent)
        self._limit_memory(content.length)
        self.allow_cpu()
        self._tell({**request, "length": content.length, "lent": lent})

    def _tell(self, message: dict[str, Any]) -> None:
        """Never waits: a child that asks and asks and doesn't listen would hold its parent up for ever."""
        packed = pack(message)
        try:
            is_told = os.write(self._requests, packed) == len(packed)
        except (BrokenPipeError, BlockingIOError):
            is_told = False
        if not is_told:
            raise ChildGone("crashed")

    def _lend(self, start: int, stop: int) -> None:
        """Put the bytes from `start` to `stop` (exclusive) into shared memory, in place of what was there."""
        os.ftruncate(self._input_fd, 0)
        offset = 0
        for piece in self._content.pieces(start, stop) if self._content else ():
            view = memoryview(piece)
            while view:
                count = os.pwrite(self._input_fd, view, offset)
                view, offset = view[count:], offset + count

    def forget(self) -> None:
        """Give the memory of the last file back."""
        self._content = None
        os.ftruncate(self._input_fd, 0)

    def _limit_memory(self, length: int) -> None:
        """1 GiB and twice the file: room for its mapping and a frame, and little for a small file that asks much."""
        self._set_limit(resource.RLIMIT_AS, min(GIB + 2 * length, 3 * GIB))

    def allow_cpu(self) -> None:
        """Move the limit of processor time 30 s ahead of what has been used."""
        self._set_limit(resource.RLIMIT_CPU, self._cpu_used_s() + CPU_S)

    def _set_limit(self, limit: int, soft: int) -> None:
        try:
            _, hard = resource.prlimit(self.pid, limit)
            within = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
            resource.prlimit(self.pid, limit, (within, hard))
        except ProcessLookupError as error:
            raise ChildGone("crashed") from error

    def _cpu_used_s(self) -> int:
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError as error:
            raise ChildGone("crashed") from error
        user_ticks, system_ticks = int(fields[11]), int(fields[12])
        return -(-(user_ticks + system_ticks) // TICKS_A_SECOND)

    def receive(self, wait_s: float) -> tuple[dict[str, Any], bytearray]:
        """The next answer and its payload; raises `ChildGone("timeout")` after `wait_s`.

        What the child wants to see of a large file meanwhile is lent, and moves no limit: it can't buy time by asking.
        """
        until = time.monotonic() + wait_s
        message, payload = self._next_message(until)
        while "want" in message:
            start, stop = self._wanted(message["want"])
            self._lend(start, stop)
            self._tell({"lent": stop - start})
            if time.monotonic() > until:
                raise ChildGone("timeout")
            message, payload = self._next_message(until)
        return message, payload

    def _wanted(self, stretch: Any) -> tuple[int, int]:
        """The stretch the child asks for, after checking that there is such a one, and no larger than may be."""
        match stretch:
            case [int(start), int(stop)] if self._content is not None:
                if 0 <= start < stop <= self._content.length and stop - start <= WINDOW_BYTES:
                    return start, stop
        raise ChildGone("crashed")

    def _next_message(self, until: float) -> tuple[dict[str, Any], bytearray]:
        json_length, payload_length = HEAD.unpack(self._read(HEAD.size, until))
        if json_length > MAX_JSON_BYTES or payload_length > MAX_PAYLOAD_BYTES:
            raise ChildGone("crashed")
        text = self._read(json_length, until)
        payload = self._read(payload_length, until)
        try:
            message = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ChildGone("crashed") from error
        if not isinstance(message, dict):
            raise ChildGone("crashed")
        return message, payload

    def _read(self, length: int, until: float) -> bytearray:
        data = bytearray(length)
        view = memoryview(data)
        while view:
            left_ms = max(0, int((until - time.monotonic()) * 1000))
            if not self._poll.poll(left_ms):
                raise ChildGone("timeout")
            count = os.readv(self._answers, [view])
            if count == 0:
                raise ChildGone(self._how_it_ended())
            view = view[count:]
        return data

    def _how_it_ended(self) -> str:
        """Out of processor time, or any other way a process ends."""
        try:
            ended = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "crashed"
        return "timeout" if ended == -signal.SIGXCPU else "crashed"
