"""What a start claims for itself: the state folder and the port."""

from __future__ import annotations

import fcntl
import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.serving.refusal import CannotStart

HOST = "127.0.0.1"
ANSWER_WITHIN_S = 2.0


@contextmanager
def the_state(state: Path) -> Iterator[None]:
    """Hold the state folder; raises `CannotStart` while another start holds it.

    The kernel drops the lock with the process, so nothing is left after kill -9. Children never inherit it.
    """
    with open(state / "lock", "a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"Scanpass is already running on {state}. Stop that one, or give this one its own folder: --state DIR"
            ) from None
        yield


def check_port(port: int) -> None:
    """Raise `CannotStart` where the port is out of range, reserved or taken."""
    if not 1 <= port <= 65535:
        raise CannotStart(f"There is no port {port}. Choose one from 1024 to 65535 with --port.")
    with socket.socket() as probe:
        # As granian does: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise CannotStart(f"This user may not use port {port}. Choose another: --port 8000") from None
        except OSError:
            raise CannotStart(
                f"Port {port} is taken by another program. Choose another: --port {port + 1}"
            ) from None


def answers(port: int) -> bool:
    """Whether the site on this port says it is well."""
    connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_WITHIN_S)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
