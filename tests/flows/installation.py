"""A real installation for the tests: the supervisor with its web server and worker, on a state folder of its own.

It takes the engines that the run was given: SQLite and the folder broker, or, where DATABASE_URL and
CELERY_BROKER_URL name them, a PostgreSQL database and a Redis database made for this installation alone.
Nothing of the product is imported here: an installation is looked at from outside, as its users do.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.flows.authenticator import Authenticator
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
# Drawing the demo's head takes half a minute of one core, and ten programs may share two cores. Who waits in vain has
# mostly heard why long before: a start that fails ends.
READY_WITHIN_S = 600.0
# What belongs to the test process, not to an installation.
OURS = ("SCANPASS", "DJANGO", "PYTEST", "DATABASE_URL", "CELERY", "CACHE_URL", "PYTHON", "COVERAGE")
# Redis has 16 databases: each of at most three test processes has five of its own, and 0 is left to the tests.
_turn = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 3
_redis_numbers = itertools.cycle(range(1 + 5 * _turn, 6 + 5 * _turn))

T = TypeVar("T")


def wait_for(
    what: Callable[[], T | None], *, within_s: float = 90.0, why: Callable[[], str] = lambda: "in vain"
) -> T:
    """What `what` returns once it is neither None nor False; fails the test after `within_s`, and says `why`."""
    deadline = time.monotonic() + within_s
    while True:
        found = what()
        if found is not None and found is not False:
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"waited {within_s:.0f} s: {why()}")
        time.sleep(0.05)


@dataclass
class Sent:
    """One message of the demo's outbox."""

    to: str
    body: str
    kind: str

    @property
    def link(self) -> str:
        return next(word for word in self.body.split() if "/s/#" in word)

    @property
    def code(self) -> str:
        """The code a person would read: the first word of the message."""
        return self.body.split()[0]


@dataclass
class Installation:
    """`manage.py demo` (or `serve`) in a folder: state, log, home and temporary files all lie below `folder`."""

    folder: Path
    command: str = "demo"
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    _apps: dict[str, Authenticator] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("home", "tmp"):
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.environment = (
            self.environment if "DATABASE_URL" in self.environment else {**_engines(), **self.environment}
        )

    # --- running -----------------------------------------------------------------------------------------------------

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def log(self) -> Path:
        """Everything the supervisor and its children print."""
        return self.folder / "log"

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def env(self) -> dict[str, str]:
        """The environment of the installation, for other commands of `manage.py` too."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        # Its children inherit TMPDIR; PYTHONUNBUFFERED keeps the log in order.
        own = {"HOME": str(self.folder / "home"), "TMPDIR": str(self.folder / "tmp"), "PYTHONUNBUFFERED": "1"}
        return kept | own | {"SCANPASS_BOOTSTRAP": "0", "SCANPASS_UNDO_S": "0"} | self.environment

    def begin(self) -> None:
        """Start without waiting."""
        where = ("--port", str(self.port), "--state", str(self.state))
        words = [sys.executable, str(ROOT / "manage.py"), self.command, *where, *self.arguments]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                words,
                cwd=ROOT,
                env=self.env(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def start(self) -> Installation:
        """Start and wait until it says that it runs."""
        said = self.ready_lines()
        self.begin()
        wait_for(
            lambda: self._has_ended() or self.ready_lines() > said, within_s=READY_WITHIN_S, why=self.tail
        )
        if self._has_ended():
            pytest.fail(f"the installation did not start:\n{self.tail()}")
        return self

    def ready_lines(self) -> int:
        return (
            self.log.read_text(errors="replace").count("Scanpass is running at") if self.log.exists() else 0
        )

    def _has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:]) if self.log.exists() else ""

    def answers(self) -> bool:
        """Whether the site answers."""
        try:
            with urllib.request.urlopen(f"{self.base_url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def stop(self) -> None:
        """End as an operator would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9 of the supervisor; its children are tethered to it and die with it."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self.process is None:
            return
        family = self.descendants()
        self.process.send_signal(number)
        self.process.wait(timeout=90)
        self.process = None
        wait_for(
            lambda: not any(map(_is_alive, family)), why=lambda: "a child of the installation is left over"
        )

    def descendants(self, word: str = "") -> list[int]:
        """Process ids below the supervisor whose command line has `word`: "granian", "celery"..."""
        if self.process is None:
            return []
        parents = _parents()
        found = [pid for pid in parents if _descends(pid, self.process.pid, parents)]
        return [pid for pid in found if word in _command_line(pid)]

    def manage(self, *words: str) -> str:
        """What another command of `manage.py` prints, run beside the installation."""
        known = self.env() | {"SCANPASS_STATE": str(self.state), "SCANPASS_PORT": str(self.port)}
        flags = {"SCANPASS_DEMO": "1"} if self.command == "demo" else {}
        if self.command == "demo" or "--accept-colocated-keys" in self.arguments:
            flags["SCANPASS_ACCEPT_COLOCATED_KEYS"] = "1"
        command = [sys.executable, str(ROOT / "manage.py"), *words]
        ran = subprocess.run(
            command, cwd=ROOT, env=known | flags, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    # --- what the demo tells ----------------------------------------------------------------------------------------

    @property
    def facts(self) -> dict[str, Any]:
        """demo.json."""
        facts: dict[str, Any] = json.loads((self.state / "demo.json").read_text())
        return facts

    def person(self, name: str) -> dict[str, str]:
        """The member of staff whose e-mail begins with `name`."""
        return next(one for one in self.facts["staff"] if one["email"].startswith(f"{name}@"))

    def totp(self, name: str) -> str:
        """A code of the person's authenticator app that was not given before."""
        if name not in self._apps:
            self._apps[name] = Authenticator(self.person(name)["totp_secret"], self.folder / f"app-{name}")
        return self._apps[name].code()

    def outbox(self) -> list[Sent]:
        """Every message so far; the last line may still be in the writing."""
        path = self.state / "outbox.jsonl"
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return [Sent(row["to"], row["body"], row["kind"]) for row in map(json.loads, lines)]

    def sent_to(self, address: str) -> list[Sent]:
        """Every message to one address; in a parallel run the rest of the outbox is other tests'."""
        return [one for one in self.outbox() if one.to == address]

    def next_message(self, to: str, *, after: int, kind: str = "") -> Sent:
        """The first message to `to` behind the first `after` of the outbox."""

        def found() -> Sent | None:
            fresh = self.outbox()[after:]
            return next((one for one in fresh if one.to == to and kind in ("", one.kind)), None)

        return wait_for(found, why=lambda: f"no message of kind {kind or 'any'} arrived\n{self.tail()}")


# --- engines ---------------------------------------------------------------------------------------------------------


def _engines() -> dict[str, str]:
    """Where the run names engines, a database and a broker that no other installation uses."""
    chosen = {}
    if url := os.environ.get("DATABASE_URL", ""):
        chosen["DATABASE_URL"] = _own_database(url) if url.startswith("postgres") else ""
    for name in ("CELERY_BROKER_URL", "CACHE_URL"):
        if (url := os.environ.get(name, "")).startswith("redis"):
            chosen[name] = _with_path(url, f"/{next(_redis_numbers)}")
    return {name: value for name, value in chosen.items() if value}


def _own_database(url: str) -> str:
    """Make an empty database beside the one named; it is thrown away with the server of the tests."""
    import psycopg

    name = f"flow_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
    return _with_path(url, f"/{name}")


def _with_path(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=path))


# --- processes -------------------------------------------------------------------------------------------------------


def _parents() -> dict[int, int]:
    """Every process and its parent. Source: proc(5), the fourth field of stat."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (entry / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(entry.name)] = int(after_name[1])
    return parents


def _descends(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    while pid in parents and pid != ancestor:
        pid = parents[pid]
        if pid == ancestor:
            return True
    return False


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _is_alive(pid: int) -> bool:
    """Whether the process still runs; a zombie that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# --- fixtures --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The demo, running: one for the whole session, because making it takes long. Nobody may stop or break it.

    While tests are written, SCANPASS_RUNNING_DEMO may name the folder of one that `python -m tests.flows.installation
    FOLDER` keeps running.
    """
    if running := os.environ.get("SCANPASS_RUNNING_DEMO"):
        yield Installation(Path(running), port=int((Path(running) / "port").read_text()))
        return
    base = tmp_path_factory.getbasetemp()
    # The workers of a parallel run have their own folders below one of the run's.
    with shared_demo(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) as installation:
        yield installation


@contextmanager
def shared_demo(place: Path) -> Iterator[Installation]:
    """The demo of a parallel run: who comes first starts it, who leaves last ends it."""
    folder = place / "demo"
    folder.mkdir(exist_ok=True)
    process = None
    with _book(folder) as book:
        if not book:
            started = Installation(folder).start()
            process = started.process
            assert process
            book |= {"pid": process.pid, "port": started.port, "users": 0}
            book["environment"] = started.environment
        book["users"] += 1
        installation = Installation(folder, environment=book["environment"], port=book["port"])
    yield installation
    with _book(folder) as book:
        book["users"] -= 1
        if not book["users"]:
            os.kill(book["pid"], signal.SIGTERM)
            wait_for(lambda: not _is_alive(book["pid"]), why=lambda: "the demo does not end")
            book.clear()
    if process and process.poll() is None:
        process.returncode = 0  # another worker ends it, so Python needn't warn of a child left alone


@contextmanager
def _book(folder: Path) -> Iterator[dict[str, Any]]:
    """What the workers tell each other about the demo; one reads and writes at a time."""
    with open(folder / "book.json", "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        book: dict[str, Any] = json.loads(file.read() or "{}")
        yield book
        file.truncate(0)
        json.dump(book, file)


def main(folder: Path) -> None:
    """Keep a demo running in `folder` until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    installation = Installation(folder)
    installation.start()
    (folder / "port").write_text(str(installation.port))
    print(f"{installation.base_url}  SCANPASS_RUNNING_DEMO={folder}", flush=True)
    try:
        signal.pause()
    finally:
        installation.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
