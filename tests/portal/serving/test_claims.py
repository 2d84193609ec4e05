"""A start claims its state folder and its port, and says plainly when another has them."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from portal.serving import claims
from portal.serving.refusal import CannotStart
from tests.ports import free_port

HOLD = """
import sys, time, pathlib
from portal.serving import claims
with claims.the_state(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def listener() -> socket.socket:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_taken_port_is_named_with_a_way_out(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with pytest.raises(
        CannotStart, match=rf"Port {port} is taken by another program\. Choose another: --port"
    ):
        claims.check_port(port)


def test_free_port_passes() -> None:
    port = free_port()
    claims.check_port(port)
    with socket.create_server(("127.0.0.1", port)):
        pass


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_impossible_port_is_refused(port: int) -> None:
    with pytest.raises(CannotStart, match="Choose one from 1024 to 65535"):
        claims.check_port(port)


def test_second_start_on_a_state_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    first = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert first.stdout
    assert first.stdout.readline() == "held\n"
    with pytest.raises(CannotStart, match="already running"), claims.the_state(tmp_path):
        pass
    first.kill()
    first.communicate()
    with claims.the_state(tmp_path):
        assert (tmp_path / "lock").exists()


def test_silent_port_does_not_answer() -> None:
    assert not claims.answers(free_port())
