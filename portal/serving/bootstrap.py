"""The environment that Scanpass makes for itself in `.venv`, from locks pinned by hash.

Standard library only. Each lock has a stamp that is written last, so an interrupted set-up simply goes on, and
a second start does nothing. Off where somebody else has prepared the environment: an active virtual
environment, or SCANPASS_BOOTSTRAP=0.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.serving.refusal import CannotStart, explain

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
RUNTIME_LOCK = "requirements.lock"
DEVELOPMENT_LOCK = "requirements-dev.lock"
LOCKS = {
    "demo": [RUNTIME_LOCK],
    "serve": [RUNTIME_LOCK],
    "test": [RUNTIME_LOCK, DEVELOPMENT_LOCK],
}
# Measured: 640 MB with the development lock, and pip keeps each downloaded wheel until it has unpacked it.
NEEDED_BYTES = 900 * 1024 * 1024


def enter(argv: list[str]) -> None:
    """Continue this command inside `.venv`, making it first where the command is one that sets up.

    Returns only when the bootstrap is off; otherwise the process is replaced. Raises `CannotStart`.
    """
    if not _is_on():
        return
    command = argv[1] if len(argv) > 1 else "help"
    if command in LOCKS:
        try:
            _make(LOCKS[command])
        except OSError as error:
            raise explain(error) from error
    elif not _stands():
        raise CannotStart("Scanpass is not set up here yet. Run this first: python3 manage.py serve")
    _replace_process(PYTHON, [str(ROOT / "manage.py"), *argv[1:]])


def run(argv: list[str]) -> None:
    """Run the command in this interpreter: pytest for `test`, Django for everything else."""
    if argv[1:2] == ["test"]:
        os.chdir(ROOT)
        _replace_process(Path(sys.executable), ["-m", "pytest", *argv[2:]])
    if importlib.util.find_spec("django") is None:
        raise CannotStart(
            "Django is not installed in this environment. Run: pip install --require-hashes -r requirements.lock"
            " - or leave the environment (deactivate) and Scanpass makes its own."
        )
    from django.core.management import execute_from_command_line

    execute_from_command_line(argv)


def _is_on() -> bool:
    if os.environ.get("SCANPASS_BOOTSTRAP") == "0" or os.environ.get("VIRTUAL_ENV"):
        return False
    return sys.prefix == sys.base_prefix


def _replace_process(python: Path, arguments: list[str]) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(python, [str(python), *arguments])


def _make(locks: list[str]) -> None:
    if all(_is_fresh(lock) for lock in locks):
        return
    with _alone():
        # Another start may have finished the work while this one waited.
        stale = [lock for lock in locks if not _is_fresh(lock)]
        if stale:
            _make_venv()
        for lock in stale:
            _install(lock)


@contextmanager
def _alone() -> Iterator[None]:
    """One set-up at a time; the kernel drops the lock with the process, so no stale lock can be left."""
    with open(ROOT / "manage.py") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Another start is setting up; waiting for it.")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _stamp(lock: str) -> Path:
    return VENV / f"{lock}.sha256"


def _digest(lock: str) -> str:
    """Lock and interpreter: after an upgrade of the system's Python the packages are out of its sight."""
    return hashlib.sha256((ROOT / lock).read_bytes() + os.path.realpath(PYTHON).encode()).hexdigest()


def _is_fresh(lock: str) -> bool:
    try:
        return _stands() and _stamp(lock).read_text() == _digest(lock)
    except FileNotFoundError:
        return False


def _stands() -> bool:
    """Whether `.venv` is an environment: without pyvenv.cfg its Python is just the system's by another name."""
    return PYTHON.exists() and (VENV / "pyvenv.cfg").exists()


def _make_venv() -> None:
    if _stands() and _is_usable():
        return
    if shutil.disk_usage(ROOT).free < NEEDED_BYTES:
        raise CannotStart(
            f"Setting up needs {NEEDED_BYTES >> 20} MB of free disk, and there are"
            f" {shutil.disk_usage(ROOT).free >> 20} MB. Free some space and run the same command again."
        )
    uses_uv = shutil.which("uv") is not None
    if importlib.util.find_spec("venv") is None or (
        not uses_uv and importlib.util.find_spec("ensurepip") is None
    ):
        raise CannotStart(
            "This Python can't make virtual environments: its venv module is missing."
            " Install it (Debian: apt install python3-venv) and run the same command again."
        )
    _check(
        _quietly(
            [sys.executable, "-m", "venv", "--clear", *(["--without-pip"] if uses_uv else []), str(VENV)]
        )
    )


def _is_usable() -> bool:
    """Whether what stands in `.venv` can be installed into: new enough, and whole."""
    needs = "import sys" if shutil.which("uv") else "import sys, pip"
    probe = f"{needs}; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)"
    return subprocess.run([PYTHON, "-I", "-c", probe], capture_output=True, check=False).returncode == 0


def _install(lock: str) -> None:
    count = sum("==" in line for line in (ROOT / lock).read_text().splitlines())
    _say(f"Setting up, once: {count} packages of {lock} into .venv. This takes about a minute.")
    started = time.monotonic()
    _check(_install_by_uv(lock) or _install_by_pip(lock))
    _write_stamp(lock)
    _say(f"Set up in {time.monotonic() - started:.0f} s.")


def _install_by_uv(lock: str) -> subprocess.CompletedProcess[str] | None:
    """None where uv is missing or fails: pip may know an index or a proxy that uv was not told of."""
    uv = shutil.which("uv")
    if uv is None:
        return None
    done = _quietly(
        [uv, "pip", "install", "--quiet", "--python", str(PYTHON), "--require-hashes", "-r", lock]
    )
    if done.returncode and importlib.util.find_spec("ensurepip") is not None:
        _say("uv could not install the packages; trying pip.")
        _quietly([str(PYTHON), "-m", "ensurepip"])
        return None
    return done


def _install_by_pip(lock: str) -> subprocess.CompletedProcess[str]:
    flags = ["--quiet", "--no-input", "--disable-pip-version-check", "--require-hashes"]
    return _quietly([str(PYTHON), "-m", "pip", "--require-virtualenv", "install", *flags, "-r", lock])


def _quietly(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def _check(done: subprocess.CompletedProcess[str]) -> None:
    """Turn a failed step into one line that says what to do, after the tool's own last lines."""
    if done.returncode == 0:
        return
    if "No space left on device" in done.stdout:
        raise CannotStart(
            "The disk is full. Free some space and run the same command again: it goes on from there."
        )
    _say("\n".join(done.stdout.splitlines()[-5:]))
    raise CannotStart(
        "Setting up did not finish; the lines above say why. Check the network and run the same command again."
    )


def _write_stamp(lock: str) -> None:
    fresh = _stamp(lock).with_suffix(".new")
    fresh.write_text(_digest(lock))
    os.replace(fresh, _stamp(lock))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
