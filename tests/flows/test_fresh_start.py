"""The two commands as a stranger runs them: a fresh clone, an empty home, nothing installed.

Seconds are printed for the record and never asserted.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ports import free_port

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
BARE_PYTHON = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
# What a test run adds to the environment, and a stranger's shell does not have.
OURS = ("VIRTUAL_ENV", "SCANPASS", "DJANGO", "PYTEST", "DATABASE_URL", "CELERY", "CI", "PYTHON", "COVERAGE")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stranger")
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / "scanpass")], check=True)
    (folder / "home").mkdir()
    return folder / "scanpass"


@pytest.fixture
def port() -> int:
    return free_port()


def environment(clone: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return kept | {"HOME": str(clone.parent / "home"), "PATH": "/usr/bin:/bin"}


def processes_of(clone: Path) -> list[int]:
    """Every live process whose program lies in the clone's environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(clone).encode() in words:
            found.append(int(entry.name))
    return found


def wait_until_none(clone: Path) -> None:
    deadline = time.monotonic() + 60
    while processes_of(clone):
        assert time.monotonic() < deadline, "processes are left over"
        time.sleep(0.05)


@pytest.fixture
def start(clone: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a command of the clone; whatever is left of it after the test is ended."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [str(BARE_PYTHON), "manage.py", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        started.append(subprocess.Popen(command, cwd=clone, env=environment(clone), text=True, **pipes))
        return started[-1]

    yield start
    for process in started:
        process.kill()
    wait_until_none(clone)
    for process in started:
        process.communicate()


def read_until_ready(process: subprocess.Popen[str], port: int) -> list[str]:
    """The lines up to the ready line; fails with all of them when the process ends before."""
    lines: list[str] = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith("Scanpass is running at"):
            assert f"http://127.0.0.1:{port} " in line
            return lines
    pytest.fail("\n".join(lines))


def status(port: int, path: str) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return int(answer.status)


def note(record_property: Callable[[str, object], None], name: str, seconds: float) -> None:
    record_property(name, round(seconds, 1))
    print(f"{name}: {seconds:.1f} s")


def test_fresh_clone_runs_the_demo_survives_kill_9_and_ends_on_sigterm(
    clone: Path,
    port: int,
    start: Callable[..., subprocess.Popen[str]],
    record_property: Callable[[str, object], None],
) -> None:
    began = time.monotonic()
    first = start("demo", "--port", str(port))
    shown = "\n".join(read_until_ready(first, port))
    note(record_property, "first start of the demo", time.monotonic() - began)
    assert "/demo/outbox" in shown
    assert "Code app key" in shown
    assert status(port, "/healthz") == status(port, "/") == status(port, "/demo/outbox") == 200

    second = start("demo", "--port", str(port))
    said, _ = second.communicate(timeout=120)
    assert second.returncode == 1
    assert said.splitlines()[-1].startswith("Scanpass is already running on")
    other = start("demo", "--port", str(port), "--state", str(clone / "other"))
    said, _ = other.communicate(timeout=120)
    assert other.returncode == 1
    assert said == f"Port {port} is taken by another program. Choose another: --port {port + 1}\n"

    first.kill()
    wait_until_none(clone)

    began = time.monotonic()
    again = start("demo", "--port", str(port))
    read_until_ready(again, port)
    note(record_property, "second start of the demo", time.monotonic() - began)
    assert status(port, "/healthz") == 200
    again.send_signal(signal.SIGTERM)
    assert again.wait(timeout=90) == 0
    wait_until_none(clone)


def test_fresh_clone_runs_the_tests(clone: Path, record_property: Callable[[str, object], None]) -> None:
    began = time.monotonic()
    done = subprocess.run(
        [BARE_PYTHON, "manage.py", "test", "-q", "tests/portal/serving/test_locks.py"],
        cwd=clone,
        env=environment(clone),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    note(record_property, "set-up of the tests and one file of them", time.monotonic() - began)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_serve_refuses_keys_beside_the_data_and_then_offers_an_owner_link(
    clone: Path, port: int, start: Callable[..., subprocess.Popen[str]]
) -> None:
    folder = str(clone / "practice")
    refused = start("serve", "--port", str(port), "--state", folder)
    said, _ = refused.communicate(timeout=300)
    assert refused.returncode == 1
    assert "--accept-colocated-keys" in said.splitlines()[-1]
    served = start("serve", "--port", str(port), "--state", folder, "--accept-colocated-keys")
    assert any("/setup/" in line for line in read_until_ready(served, port))
    served.send_signal(signal.SIGINT)
    assert served.wait(timeout=90) == 0
