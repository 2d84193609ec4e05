"""The two programs that `demo` and `serve` keep running, and why each of their flags."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

# Two, so that one long sealed download on one core leaves the other to everyone else; never more than cores.
WEB_WORKERS = min(2, os.cpu_count() or 1)
# A download holds its thread for as long as its reader takes; with 8 threads, 16 slow readers stopped the whole site.
# With these, a frame still takes 3 ms beside 40 of them. Threads beyond need end by themselves, and each has
# a connection to the database: 2 x 40 stay below the 100 that PostgreSQL allows by default.
WEB_THREADS = 40
# One long ingest must not hold up a text message.
TASKS_AT_ONCE = 2
# A download under way gets this long after SIGTERM; the supervisor allows it END_WITHIN_S.
WEB_GRACE_S = 4


@dataclass(frozen=True, slots=True)
class Program:
    """What to run; `name` is how a sentence calls it."""

    name: str
    command: tuple[str, ...]


def web(port: int) -> Program:
    """granian on the loopback address: TLS and the public address belong to the proxy in front.

    No access log: paths hold the ids of shares. granian's own backlog (1,024) and backpressure (512 requests a
    worker) stand: past them new connections wait in the kernel and nothing is dropped.
    """
    flags = {
        "--interface": "wsgi",
        "--host": "127.0.0.1",
        "--port": port,
        "--workers": WEB_WORKERS,
        "--blocking-threads": WEB_THREADS,
        "--workers-kill-timeout": WEB_GRACE_S,
        "--log-level": "error",
    }
    words = [str(word) for pair in flags.items() for word in pair]
    command = (
        sys.executable,
        "-m",
        "granian",
        *words,
        "--no-ws",
        "--no-access-log",
        "portal.serving.web:application",
    )
    return Program("The web server", command)


def tasks() -> Program:
    """One Celery process with threads: its work waits for sandboxed children, which do the heavy part.

    Gossip, mingle and heartbeat are talk between several workers; on the folder broker each costs files.
    """
    flags = ["--pool", "threads", "--concurrency", str(TASKS_AT_ONCE), "--loglevel", "WARNING"]
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    # Celery's six lines against running as root; deploy/scanpass.service is where a practice gets its own user.
    silenced = "ignore:You're running the worker with superuser"
    celery = [sys.executable, "-W", silenced, "-m", "celery", "--quiet", "--app", "portal.celery", "worker"]
    return Program("The task worker", (*celery, *flags, *alone))
