"""The sinks, and what is found in them; import it once Django is set up."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.flows.canaries import Find, Search
from tests.flows.engines import postgresql_folder, redis_dump
from tests.flows.new_practice import new_installation
from tests.flows.test_nothing_in_clear import EXCEPTIONS, SHARED_MEMORY, Walked, walk_through

DOORS = ("link", "code")


@dataclass
class Sink:
    """A place where something could lie in clear: what was read of it, and what was found."""

    name: str
    length: int
    finds: list[Find]


def sweep() -> int:
    """Walk, search, print; 0 when nothing was found and the control was found whole."""
    with tempfile.TemporaryDirectory(prefix="scanpass-sweep-") as folder:
        installation = new_installation(Path(folder))
        try:
            walked = walk_through(installation.start())
            search = Search(walked.walk.needles)
            sinks = list(_sinks(walked, search))
        finally:
            installation.kill()
    for sink in sinks:
        print(f"{sink.name:44} {sink.length / 1e6:8.2f} MB   {len(sink.finds)} found")
        for find in sink.finds[:10]:
            print(f"    {find.canary} ({find.form}) in {find.where}")
    planted, seen = _control(search)
    found = sum(len(sink.finds) for sink in sinks)
    print(f"{len(sinks)} sinks, {planted:,} forms looked for: {found} found (none may be)")
    print(f"control: {seen:,} of {planted:,} planted forms found (all must be)")
    return 0 if found == 0 and seen == planted else 1


def _sinks(walked: Walked, search: Search) -> Iterator[Sink]:
    state, installation = walked.state, walked.walk.installation
    backup = walked.back_up()
    databases = sorted(state.glob("*.sqlite3"))
    yield _files("database", databases, search)
    yield _files(
        "write-ahead log", [path for one in databases for path in state.glob(f"{one.name}-*")], search
    )
    for name in ("vault", "spool", "broker"):
        yield _files(name, (state / name).rglob("*"), search)
    known = {"vault", "spool", "broker", *EXCEPTIONS, *(path.name for path in databases)}
    rest = [
        path
        for top in state.iterdir()
        if top.name.partition("-")[0] not in known
        for path in (top, *top.rglob("*"))
    ]
    yield _files("the rest of the state folder", rest, search)
    yield _files("backup", backup.rglob("*"), search)
    yield _files("log", [installation.log], search)
    places = [path for name in ("tmp", "home") for path in (walked.folder / name).rglob("*")]
    yield _files("temporary and home folders", places, search)
    passing = b"\n".join(data for _, data in walked.watcher.seen)
    yield Sink("files that came and went", len(passing), search.in_memory("passing", passing))
    yield _files("shared memory", (path for path in SHARED_MEMORY.iterdir() if path.is_file()), search)
    assert installation.process
    pids = [installation.process.pid, *installation.descendants()]
    shown = [Path(f"/proc/{pid}/{name}") for pid in pids for name in ("cmdline", "environ")]
    yield _files("command lines and environments", shown, search)
    bodies = "\n\n".join(sent.body for sent in installation.outbox()).encode()
    said = [find for find in search.in_memory("messages", bodies) if find.canary not in DOORS]
    yield Sink("messages (but for their link or code)", len(bodies), said)
    told = "\n".join(walked.on_the_way).encode()
    yield Sink("addresses and names of files", len(told), search.in_memory("addresses", told))
    yield from _engines(walked, search)


def _engines(walked: Walked, search: Search) -> Iterator[Sink]:
    environment = walked.walk.installation.environment
    if environment.get("DATABASE_URL", "").startswith("postgres"):
        folder = postgresql_folder(environment["DATABASE_URL"])
        finds = search.below(folder, since=walked.began)
        yield Sink("files of PostgreSQL, write-ahead log too", _length(folder.rglob("*")), finds)
    if environment.get("CELERY_BROKER_URL", "").startswith("redis") and walked.talk:
        yield _files("dump of Redis", [redis_dump(environment["CELERY_BROKER_URL"])], search)
        heard = walked.talk.heard
        yield Sink("commands to Redis", len(heard), search.in_memory("commands", heard))


def _files(name: str, paths: Iterable[Path], search: Search) -> Sink:
    """The contents and the names of files."""
    length, finds = 0, []
    for path in paths:
        finds += search.in_memory(f"name of {path.name}", path.name.encode())
        if path.is_file():
            finds += [Find(str(path), needle.canary, needle.form) for needle in search.in_file(path)]
            length += len(path.read_bytes()) if path.is_relative_to("/proc") else path.stat().st_size
    return Sink(name, length, finds)


def _length(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())


def _control(search: Search) -> tuple[int, int]:
    chance = random.Random(7)
    planted = b"".join(
        chance.randbytes(chance.randrange(40)) + b" " + one.data + b" " for one in search.needles
    )
    return len(set(search.needles)), len(search.in_bytes(planted))
