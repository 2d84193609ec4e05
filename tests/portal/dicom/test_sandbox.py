"""The confined child: what it can't do, and that nothing that happens to it reaches the next file."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from portal.dicom import sandbox as sandbox_module
from portal.dicom.child_process import ENVIRONMENT, ROOT
from portal.dicom.sandbox import Sandbox
from portal.errors import IngestRefused
from tests.portal.dicom.files import make_file

PROBE = """
import ctypes, json, os, socket, subprocess, sys
sys.path.insert(0, {root!r})
import mmap, signal
from portal.dicom.confinement import confine
how = confine()

def outcome(deed):
    try:
        deed()
    except BaseException as error:
        return type(error).__name__
    return "done"

libc = ctypes.CDLL(None, use_errno=True)
def failing(name, *arguments):
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno())

told = {{
    "socket": outcome(lambda: socket.socket()),
    "unix socket": outcome(lambda: socket.socket(socket.AF_UNIX)),
    "read a file": outcome(lambda: open("/etc/hostname")),
    "read a key": outcome(lambda: os.open({secret!r}, os.O_RDONLY)),
    "write a file": outcome(lambda: open({target!r}, "w")),
    "remove a file": outcome(lambda: os.remove({secret!r})),
    "list a folder": outcome(lambda: os.listdir("/")),
    "fork": outcome(os.fork),
    "run a program": outcome(lambda: os.execv("/bin/true", ["true"])),
    "start a program": outcome(lambda: subprocess.run(["/bin/true"])),
    "signal the parent": outcome(lambda: os.kill(os.getppid(), signal.SIGTERM)),
    "trace the parent": outcome(lambda: failing("ptrace", 16, os.getppid(), 0, 0)),
    "executable memory": outcome(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)),
    "raise a limit": outcome(lambda: __import__("resource").setrlimit(6, (100, 100))),
    "compute": outcome(lambda: sum(range(100000))),
    "plain memory": outcome(lambda: mmap.mmap(-1, 1 << 20)),
}}
os.write(1, json.dumps([how, told]).encode())
"""


@pytest.fixture
def own_box() -> Iterator[Sandbox]:
    """A reader of the test's own, for tests that end its child."""
    with Sandbox() as box:
        yield box


def child_pid(box: Sandbox) -> int:
    box.health()
    assert box._child is not None
    return box._child.pid


def end(pid: int) -> None:
    """Kill a child, and wait until it is dead: it may have had no turn on a processor yet."""
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def verdict(box: Sandbox, data: bytes) -> str:
    with pytest.raises(IngestRefused) as refused:
        box.read_header(data)
    return refused.value.code


def test_child_can_only_compute(tmp_path: Path) -> None:
    secret, target = tmp_path / "kek", tmp_path / "target"
    secret.write_bytes(b"secret")
    script = PROBE.format(root=ROOT, secret=str(secret), target=str(target))
    answer = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, check=True, env=ENVIRONMENT
    )
    how, told = json.loads(answer.stdout)
    assert how == "seccomp"
    assert {deed for deed, outcome in told.items() if outcome == "done"} == {"compute", "plain memory"}
    # Python turns a forbidden setrlimit into a ValueError, and ctypes tells of ptrace by errno.
    assert set(told.values()) <= {"done", "PermissionError", "OSError", "ValueError"}
    assert secret.read_bytes() == b"secret"
    assert not target.exists()


def test_health_says_how_well_it_is_confined(box: Sandbox) -> None:
    health = box.health()
    assert (health.confinement, health.sentence) == ("seccomp", "")


FALLBACK = """
import os, sys
sys.path.insert(0, {root!r})
from portal.dicom import confinement
confinement.MACHINES.clear()
how = confinement.confine()
links = len(open("/proc/self/net/dev").readlines()) - 2 if how == "network" else -1
os.write(1, f"{{how}} {{links}}".encode())
"""


def test_without_seccomp_the_network_goes_or_it_is_said() -> None:
    """A machine whose system calls we don't know: an empty network of its own (lo alone), or an honest "none"."""
    script = FALLBACK.format(root=ROOT)
    answer = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, check=True, text=True)
    assert answer.stdout in ("network 1", "none -1")


@pytest.mark.parametrize("confinement", ["network", "none", "who knows"])
def test_weak_confinement_is_told_to_staff(own_box: Sandbox, confinement: str) -> None:
    own_box.health()
    assert own_box._child is not None
    own_box._child.confinement = confinement
    assert own_box.health().sentence


def test_limits_are_set(own_box: Sandbox) -> None:
    pid = child_pid(own_box)
    own_box.read_header(make_file())
    assert resource.prlimit(pid, resource.RLIMIT_FSIZE) == (0, 0)
    assert resource.prlimit(pid, resource.RLIMIT_NOFILE) == (16, 16)
    assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)
    assert 1 << 30 <= resource.prlimit(pid, resource.RLIMIT_AS)[0] < (1 << 30) + (1 << 20)
    assert 30 <= resource.prlimit(pid, resource.RLIMIT_CPU)[0] <= 40


def test_child_knows_no_django_and_no_secret(own_box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCANPASS_SECRET_KEY", "not for the child")
    pid = child_pid(own_box)
    assert b"not for the child" not in Path(f"/proc/{pid}/environ").read_bytes()
    script = (
        f"import sys; sys.path.insert(0, {ROOT!r}); import portal.dicom.child; print('django' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, check=True, text=True)
    assert answer.stdout.strip() == "False"


def test_child_keeps_nothing_of_a_file_open(own_box: Sandbox) -> None:
    pid = child_pid(own_box)
    own_box.read_header(make_file())
    links = [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    assert len(links) <= 6
    assert not any(link.startswith("socket") for link in links)


def test_killed_child_is_replaced(own_box: Sandbox) -> None:
    first = child_pid(own_box)
    end(first)
    assert own_box.read_header(make_file()).rows == 6
    assert child_pid(own_box) != first


def test_child_that_dies_at_work_is_a_verdict_and_the_next_file_works(own_box: Sandbox) -> None:
    frames = own_box.decode(
        make_file(NumberOfFrames=4000, Rows=64, Columns=64, PixelData=bytes(64 * 64 * 2 * 4000))
    )
    next(frames)
    os.kill(child_pid(own_box), signal.SIGKILL)
    with pytest.raises(IngestRefused) as refused:
        list(frames)
    assert refused.value.code == "crashed"
    assert own_box.read_header(make_file()).rows == 6


def test_child_that_hangs_is_a_timeout(own_box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    first = child_pid(own_box)
    os.kill(first, signal.SIGSTOP)
    with monkeypatch.context() as impatient:
        impatient.setattr(sandbox_module, "HEADER_S", 0.2)
        assert verdict(own_box, make_file()) == "timeout"
    assert own_box.read_header(make_file()).rows == 6


def test_child_out_of_processor_time_is_a_timeout(own_box: Sandbox) -> None:
    first = child_pid(own_box)
    frames = own_box.decode(
        make_file(NumberOfFrames=4000, Rows=64, Columns=64, PixelData=bytes(64 * 64 * 2 * 4000))
    )
    next(frames)
    os.kill(first, signal.SIGXCPU)  # what the kernel sends at the soft limit
    with pytest.raises(IngestRefused) as refused:
        list(frames)
    assert refused.value.code == "timeout"


def test_decode_that_is_given_up_leaves_a_working_reader(own_box: Sandbox) -> None:
    data = make_file(NumberOfFrames=500, Rows=64, Columns=64, PixelData=bytes(64 * 64 * 2 * 500))
    frames = own_box.decode(data)
    next(frames)
    frames.close()
    assert own_box.read_header(make_file()).rows == 6


def test_frames_wait_until_they_are_wanted(own_box: Sandbox) -> None:
    """Backpressure: 64 MB of frames never sit in memory, because the child stops at a full pipe."""
    pid = child_pid(own_box)
    data = make_file(NumberOfFrames=128, Rows=512, Columns=512, PixelData=bytes(512 * 512 * 2 * 128))
    before = _resident(pid)
    frames = own_box.decode(data)
    next(frames)
    time.sleep(0.3)
    assert _resident(pid) - before < len(data) + (40 << 20), "the mapped file and a few frames"
    assert sum(1 for _ in frames) == 127


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def test_frames_are_the_callers_own(own_box: Sandbox) -> None:
    first, second = own_box.decode(
        make_file(NumberOfFrames=2, PixelData=np.arange(96, dtype="<u2").tobytes())
    )
    first[:] = 0
    assert second.max() == 95


def test_closed_reader_opens_again() -> None:
    box = Sandbox()
    pid = child_pid(box)
    box.close()
    assert not Path(f"/proc/{pid}").exists()
    assert box.read_header(make_file()).rows == 6
    box.close()
