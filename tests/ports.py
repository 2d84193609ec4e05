"""A port for a server that is yet to be started."""

from __future__ import annotations

import random
import socket
from pathlib import Path

_LOWEST = 12_000
# From here on the kernel hands out ports by itself, to every connection that any program opens: a port picked there
# and left free may be somebody's by the time that the server asks for it.
_OF_THE_KERNEL = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
_chance = random.SystemRandom()


def free_port() -> int:
    """One that nobody listens on, and that nobody gets who doesn't ask for it by its number."""
    while True:
        port = _chance.randrange(_LOWEST, max(_OF_THE_KERNEL, _LOWEST + 1))
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
