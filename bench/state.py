"""An installation of its own for a bench: a state folder, its key file and tables, gone afterwards.

Import nothing of Django before `make_state`; the settings read the environment once.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def make_state() -> Iterator[Path]:
    """Yield a folder in which Scanpass is installed and Django is set up."""
    state = Path(tempfile.mkdtemp(prefix="scanpass-bench-"))
    os.environ |= {
        "SCANPASS_STATE": str(state),
        "SCANPASS_SECRET_KEY": os.urandom(32).hex(),
        "SCANPASS_ACCEPT_COLOCATED_KEYS": "1",
        "SCANPASS_DEMO": "0",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    try:
        _install(state)
        yield state
    finally:
        shutil.rmtree(state, ignore_errors=True)


def _install(state: Path) -> None:
    import django

    for folder in ("keys", "static"):
        (state / folder).mkdir(mode=0o700)
    django.setup()
    from django.core.management import call_command

    from portal.vault.providers.file import FileProvider

    FileProvider.create(state / "keys" / "keyring.json")
    call_command("migrate", verbosity=0)


@contextmanager
def running(
    command: list[str], *, port: int, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; yields once it takes connections on `port`."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **(env or {})}, start_new_session=True, **quiet
    ) as server:  # type: ignore[call-overload]
        try:
            _await_port(port, server)
            yield server
        finally:
            server.terminate()
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, 9)


def _await_port(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if server.poll() is not None:
            raise SystemExit(f"{server.args} ended before it served.")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"{server.args} never served.")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
