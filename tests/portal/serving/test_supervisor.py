"""The supervisor with real processes: what crashes comes back, what is ended leaves nobody behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import ROOT

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the stand-in site; end whatever of it is left after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(behaviour: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.portal.serving.site", str(tmp_path), behaviour]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, cwd=ROOT, text=True, **pipes))
        return started[-1]

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=60)


def ids(folder: Path, name: str) -> list[int]:
    return [int(word) for word in (folder / name).read_text().split()]


def lives(pid: int) -> bool:
    """Whether the process runs; a zombie that nobody has reaped yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "this did not come true within a minute"
        time.sleep(0.02)


def wait_until_ready(site: subprocess.Popen[str]) -> None:
    assert site.stdout
    assert site.stdout.readline() == "ready\n"


@pytest.mark.parametrize("name", ["web", "tasks"])
def test_killed_program_is_started_again(start: Start, tmp_path: Path, name: str) -> None:
    site = start("runs")
    wait_until_ready(site)
    before, mark = ids(tmp_path, name), (tmp_path / f"{name}.mark").read_text()
    os.kill(before[0], signal.SIGKILL)
    wait_for(lambda: ids(tmp_path, name) != before)
    assert (tmp_path / "dead").read_text() == mark, "whoever asks is told who died"
    assert (tmp_path / f"{name}.mark").read_text() != mark
    assert lives(ids(tmp_path, name)[0])
    wait_for(lambda: not lives(before[1]))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_ends_everything_in_order(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    site = start("runs")
    wait_until_ready(site)
    everyone = ids(tmp_path, "web") + ids(tmp_path, "tasks")
    site.send_signal(number)
    assert site.wait(timeout=60) == 0
    assert not [pid for pid in everyone if lives(pid)]


def test_program_deaf_to_sigterm_is_killed(start: Start, tmp_path: Path) -> None:
    site = start("deaf")
    wait_until_ready(site)
    everyone = ids(tmp_path, "web") + ids(tmp_path, "tasks")
    site.terminate()
    assert site.wait(timeout=60) == 0
    assert not [pid for pid in everyone if lives(pid)]


def test_kill_9_of_the_supervisor_leaves_no_program(start: Start, tmp_path: Path) -> None:
    site = start("runs")
    wait_until_ready(site)
    programs = [ids(tmp_path, "web")[0], ids(tmp_path, "tasks")[0]]
    site.kill()
    wait_for(lambda: not any(map(lives, programs)))
    for name in ("web", "tasks"):
        os.kill(ids(tmp_path, name)[1], signal.SIGKILL)


def test_program_that_keeps_ending_ends_the_start_with_a_sentence(start: Start) -> None:
    site = start("ends")
    _, said = site.communicate(timeout=120)
    assert site.returncode == 1
    assert re.fullmatch(
        "The (web|tasks) program ended 6 times within a minute, so Scanpass stops."
        " The lines above say why; correct that and start again.",
        said.splitlines()[-1],
    )


def test_sweep_runs_beside_the_programs(start: Start, tmp_path: Path) -> None:
    wait_until_ready(start("runs"))
    wait_for((tmp_path / "swept").exists)
