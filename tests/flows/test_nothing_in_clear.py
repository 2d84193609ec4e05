"""After the whole walk nothing of a person lies anywhere in clear: not in database, vault, spool, broker, logs, temp.

The walk plants names, dates, numbers, addresses, UIDs and pixels and notes every link, code, cookie and key that
comes up. Then every byte is searched for every form of each. The one exception is `outbox.jsonl`, the test's
telephone. The owner's link is in the log, printed for the operator; it ended with its first use.
"""

from __future__ import annotations

import json
import random
import re
import time
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.flows.canaries import READ_BYTES, Find, Needle, Search, of_bytes, of_secret, of_text
from tests.flows.engines import BrokerTalk, postgresql_folder, redis_dump
from tests.flows.http_client import Browser
from tests.flows.installation import Installation
from tests.flows.new_practice import PRACTICE, Owner, new_installation
from tests.flows.passing_bytes import Watcher
from tests.flows.planted_walk import Walk

# An installation of its own, walked from end to end.
pytestmark = pytest.mark.slow

# The telephone, and what is the same in every installation.
EXCEPTIONS = ("outbox.jsonl", "static")
KEY_FILES = ("secret_key", "keys")
SHARED_MEMORY = Path("/dev/shm")


@dataclass
class Walked:
    """An installation after the walk, still running, and what was seen of it meanwhile."""

    walk: Walk
    watcher: Watcher
    talk: BrokerTalk | None
    began: float
    on_the_way: list[str]

    @property
    def state(self) -> Path:
        return self.walk.installation.state

    @property
    def folder(self) -> Path:
        return self.walk.installation.folder

    def back_up(self) -> Path:
        """The folder of a backup that was made now."""
        folder = self.folder / "backups"
        self.walk.installation.manage("backup", "--to", str(folder))
        return folder

    def engine(self, name: str, scheme: str) -> str:
        """The address of an engine; skips the test on an installation without it."""
        url = self.walk.installation.environment.get(name, "")
        if not url.startswith(scheme):
            pytest.skip(f"this installation runs without {scheme}")
        return url


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    installation = new_installation(tmp_path_factory.mktemp("planted"))
    try:
        yield walk_through(installation.start())
    finally:
        installation.kill()


def walk_through(installation: Installation) -> Walked:
    """Walk, and watch meanwhile."""
    began, asked = time.time() - 1, len(Browser.on_the_way)
    broker = installation.environment.get("CELERY_BROKER_URL", "")
    talk = BrokerTalk(broker) if broker.startswith("redis") else None
    folders = [installation.state / "broker", installation.folder / "tmp", installation.folder / "home"]
    watcher = Watcher(folders, installation.descendants)
    listeners = [one for one in (watcher, talk) if one]
    for one in listeners:
        one.start()
    try:
        walk = Walk(installation, Owner(installation).set_up()).go()
    finally:
        for one in listeners:
            one.stop()
    return Walked(walk, watcher, talk, began, Browser.on_the_way[asked:])


@pytest.fixture(scope="module")
def search(walked: Walked) -> Search:
    return Search(walked.walk.needles)


def assert_none(finds: list[Find]) -> None:
    """Fail with a line for each place, which names the canary and not its words."""
    assert not finds, "\n".join(f"{find.canary} ({find.form}) in {find.where}" for find in finds[:50])


def test_r3_no_file_of_the_state_holds_a_canary(walked: Walked, search: Search) -> None:
    """Database, WAL, vault, spool and broker; the owner's link, used up, is in none of them either."""
    for place in ("vault", "spool"):
        assert any(path.is_file() for path in (walked.state / place).rglob("*")), f"nothing is in the {place}"
    assert_none(search.below(walked.state, without=EXCEPTIONS))
    owner_link = Search(of_secret("owner link", walked.walk.owner.link_token))
    assert_none(owner_link.below(walked.state))


def test_what_is_no_secret_is_found(walked: Walked) -> None:
    """The practice's own name stands in clear in its row, so a search that found nothing looked in the wrong place."""
    url = walked.walk.installation.environment.get("DATABASE_URL", "")
    folder = postgresql_folder(url) if url else walked.state
    assert Search(of_text("practice", PRACTICE)).below(folder)


def test_r2_no_log_line_holds_a_canary(walked: Walked, search: Search) -> None:
    assert walked.walk.installation.log.stat().st_size, "nothing was logged"
    assert_none(search.in_memory("log", walked.walk.installation.log.read_bytes()))


def test_r3_no_temporary_file_held_a_canary(walked: Walked, search: Search) -> None:
    """What stayed, and what was seen to come and go: queue messages, temp files, deleted files still open."""
    for folder in (walked.folder / "tmp", walked.folder / "home"):
        assert_none(search.below(folder))
    # Shared memory proper lies there without folders; in folders of their own other tests may be at work.
    others = [entry.name for entry in SHARED_MEMORY.iterdir() if entry.is_dir()]
    assert_none(search.below(SHARED_MEMORY, without=others))
    assert_none([find for path, data in walked.watcher.seen for find in search.in_memory(path, data)])
    if walked.talk is None:
        assert any("/broker/" in path for path, _ in walked.watcher.seen), "no message was seen on its way"


def test_r2_no_message_says_who_it_is_about(walked: Walked, search: Search) -> None:
    """Texts and e-mails hold a link or a code, and nothing else that was planted."""
    bodies = "\n\n".join(sent.body for sent in walked.walk.installation.outbox()).encode()
    doors = {"link", "code"}
    assert_none([find for find in search.in_memory("messages", bodies) if find.canary not in doors])
    assert {find.canary for find in search.in_memory("messages", bodies)} == doors, (
        "it was looked for in them"
    )


def test_r2_no_address_and_no_name_of_a_file_says_who_it_is_about(walked: Walked, search: Search) -> None:
    """What proxies and histories see; the fragment of a link is never part of a request."""
    told = "\n".join(walked.on_the_way).encode()
    assert all(word in told for word in (b"/desk/", b"/s/view", b"/frames/", b"attachment; filename="))
    assert_none(search.in_memory("addresses", told))


def test_r8_no_file_of_a_backup_holds_a_canary(walked: Walked, search: Search) -> None:
    """The database at a moment, the packs and the key slots, in the folder that another machine keeps."""
    folder = walked.back_up()
    assert {path.name for path in folder.iterdir()} >= {"snapshots", "epochs", "objects"}
    assert_none(search.below(folder))


def test_no_process_shows_a_canary_or_a_key(walked: Walked, search: Search) -> None:
    """Command lines, which everyone on the machine can read, and environments; and no core is ever dumped."""
    keys = Search(key_needles(walked.state))
    # The image reader comes and goes with its work; these stay.
    installation = walked.walk.installation
    assert installation.process
    children = [*installation.descendants("granian"), *installation.descendants("celery")]
    pids = [installation.process.pid, *children]
    assert len(pids) >= 3
    for pid in pids:
        shown = b"".join(Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ"))
        assert_none([*search.in_memory(f"process {pid}", shown), *keys.in_memory(f"process {pid}", shown)])
        core = re.search(r"Max core file size +(\S+)", Path(f"/proc/{pid}/limits").read_text())
        assert core
        assert core[1] == "0", "a core dump would hold keys and pictures"


def test_keys_lie_in_their_own_files_alone(walked: Walked) -> None:
    keys = Search(key_needles(walked.state))
    found = keys.below(walked.state)
    assert {find.where.partition("/")[0] for find in found} == set(KEY_FILES)
    assert_none(keys.in_memory("log", walked.walk.installation.log.read_bytes()))


def key_needles(state: Path) -> list[Needle]:
    """The secret key, and the key-encryption key in all its forms."""
    keyring = json.loads((state / "keys" / "keyring.json").read_text())
    (kept,) = keyring["keys"].values()
    secret = (state / "secret_key").read_text().strip()
    return [*of_secret("secret key", secret), *of_bytes("KEK", b64decode(kept["key"]))]


@pytest.mark.services
def test_no_file_of_postgresql_holds_a_canary(walked: Walked, search: Search) -> None:
    """Tables, indexes and the write-ahead log, as they lie on the disk."""
    folder = postgresql_folder(walked.engine("DATABASE_URL", "postgres"))
    assert_none(search.below(folder, since=walked.began))


@pytest.mark.services
def test_redis_never_saw_a_canary(walked: Walked, search: Search) -> None:
    """What it holds, and every command it was given."""
    url = walked.engine("CELERY_BROKER_URL", "redis")
    assert_none(search.in_memory("dump of Redis", redis_dump(url).read_bytes()))
    assert walked.talk
    assert b"portal.jobs.run" in walked.talk.heard, "no job went through Redis"
    assert_none(search.in_memory("commands to Redis", walked.talk.heard))


def test_a_planted_control_is_found_in_every_form(search: Search, tmp_path: Path) -> None:
    """The search itself: every form of every canary, amid random bytes and across the borders of its reading."""
    chance = random.Random(7)
    planted = b"".join(
        chance.randbytes(chance.randrange(40)) + b" " + one.data + b" " for one in search.needles
    )
    (tmp_path / "control").write_bytes(planted)
    split = search.needles[:1][0]
    (tmp_path / "border").write_bytes(bytes(READ_BYTES - len(split.data) // 2) + split.data)
    assert search.in_file(tmp_path / "control") == set(search.needles)
    assert split in search.in_file(tmp_path / "border")
    names = {find.where for find in search.below(tmp_path)}
    assert names == {"control", "border"}
    assert not search.below(tmp_path, without=names)


def test_the_walk_planted_every_kind_of_canary(search: Search) -> None:
    words = {"family name", "given name", "birth date", "phone", "e-mail", "chart number", "UID"}
    doors = {"link", "code", "TOTP seed", "password", "recovery code", "cookie staff", "cookie share"}
    pictures = {"pixels", "pixels, big endian", "upload", "encoded frame", "residuals", "WebP"}
    assert {needle.canary for needle in search.needles} >= words | doors | pictures
