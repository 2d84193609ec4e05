"""An installation whose processes are killed at work: what an ingest looks like from outside, and what must be left."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.flows.database_side import DatabaseSide
from tests.flows.installation import Installation, wait_for
from tests.flows.look_inside import look_inside
from tests.flows.new_practice import Owner, new_installation
from tests.portal.records.scans import Scan, series

BIRTH, MOBILE = date(1986, 4, 12), "+12065550147"
SLICES, SIZE = 90, 128
LOOK_EVERY_S = 0.002
AT_REST_WITHIN_S = 150.0
TRIES_MAX = 8


@dataclass
class Moment:
    """What an ingest looks like from outside."""

    job: str
    done: int
    total: int
    upload: str
    unfinished_bytes: int
    packs: int
    since_first_s: float = 0.0
    """Since its progress was first seen: that is told twice a second, too rarely to tell the files apart."""


WHEN: dict[str, Callable[[Moment], bool]] = {
    "when the job is taken": lambda seen: seen.job == "running",
    "after the first files": lambda seen: seen.done > 0,
    "while headers are read": lambda seen: seen.since_first_s > 0.1,
    "when the first bytes are sealed": lambda seen: seen.unfinished_bytes > 0,
    "while frames are sealed": lambda seen: seen.unfinished_bytes > 1_000_000,
    "late in the frames": lambda seen: seen.unfinished_bytes > 2_500_000,
    "when the first pack stands": lambda seen: seen.packs >= 1,
    "when the second pack stands": lambda seen: seen.packs >= 2,
    "before the commit": lambda seen: seen.packs >= 4,
    "after the commit": lambda seen: seen.upload == "done",
}
# How the upload's row stands then. The commit takes milliseconds, and before it either side is right.
STATE_AT = {"before the commit": {"waiting", "done"}, "after the commit": {"done"}}


class Case:
    """An installation with one chart, and what was sent to it so far."""

    def __init__(self, folder: Path) -> None:
        self.installation = new_installation(folder).start()
        self.owner = Owner(self.installation).set_up().sign_in()
        self.chart = self.owner.add_patient("Garcia", "Maria", BIRTH, mobile=MOBILE)
        self.side = DatabaseSide(self.installation)
        self.chance = random.Random(20)
        self.sent: dict[str, list[str]] = {}

    def upload(self) -> dict[str, str]:
        """Send a study of its own and let the worker begin."""
        number = len(self.sent) + 1
        scan = Scan(study_uid=f"1.2.3.900.{number}", series_uid=f"1.2.3.900.{number}.1")
        files = series(scan, SLICES, size=SIZE, seed=number)
        upload = self.owner.begin_upload(self.chart)
        for name, content in files.items():
            self.owner.send_file(upload, name, content)
        self.sent[upload["id"]] = sorted(hashlib.sha256(content).hexdigest() for content in files.values())
        self.packs_before = len(self._packs())
        self.owner.close_upload(upload)
        return upload

    def kill(self, how: Callable[[Installation], None]) -> None:
        """Nothing is left that has the database open, this test's own look at it included."""
        self.side.close()
        how(self.installation)

    def start(self) -> None:
        """The next start."""
        self.installation.start()
        self.side = DatabaseSide(self.installation)

    def was_given_back(self, upload: dict[str, str]) -> bool:
        """Whether its job became due again by somebody's act; one whose lease only ran out keeps its first date."""
        subject = UUID(upload["id"]).hex
        row = self.side.row(f"SELECT not_before > created_at FROM jobs_job WHERE subject_id = '{subject}'")
        return bool(row and row[0])

    def upload_state(self, upload: dict[str, str]) -> str:
        """As its row says."""
        row = self.side.row(f"SELECT state FROM records_upload WHERE id = '{UUID(upload['id']).hex}'")
        assert row
        return str(row[0])

    def interrupt(self, when: str) -> dict[str, str]:
        """Send an upload and stop its worker at that moment; one that came too late goes on, and another is sent."""
        for _ in range(TRIES_MAX):
            upload = self.upload()
            # After a kill the supervisor takes a moment to start the next one.
            (worker,) = wait_for(lambda: self.installation.descendants("celery") or None)
            self._wait_until(WHEN[when], upload)
            # Stopped before anything else is looked at: from the first pack to the commit it is a few milliseconds.
            os.kill(worker, signal.SIGSTOP)
            if self.upload_state(upload) in STATE_AT.get(when, {"waiting"}):
                return upload
            os.kill(worker, signal.SIGCONT)
            self.owner.wait_for_upload(upload)
        raise AssertionError(f"missed {TRIES_MAX} times")

    def _wait_until(self, reached: Callable[[Moment], bool], upload: dict[str, str]) -> None:
        """Watch the ingest until it is there or over, and, where there is time for it, a random moment longer."""
        deadline, begun_at = time.monotonic() + 60, None
        while True:
            seen = self._moment(upload)
            if seen.done and begun_at is None:
                begun_at = time.monotonic()
            seen.since_first_s = time.monotonic() - begun_at if begun_at else 0.0
            # One that was too quick is over without having been there: its caller sends another.
            if reached(seen) or seen.upload == "done":
                break
            assert time.monotonic() < deadline, seen
            time.sleep(LOOK_EVERY_S)
        if not seen.packs:
            time.sleep(self.chance.uniform(0, 0.03))

    def _moment(self, upload: dict[str, str]) -> Moment:
        subject = UUID(upload["id"]).hex
        job = self.side.row(
            f"SELECT state, progress_done, progress_total FROM jobs_job WHERE subject_id = '{subject}'"
        )
        assert job
        unfinished = sum(_size(path) for path in (self.installation.state / "vault" / "tmp").iterdir())
        return Moment(*job, self.upload_state(upload), unfinished, len(self._packs()) - self.packs_before)

    def _packs(self) -> list[Path]:
        return list((self.installation.state / "vault").glob("[0-9a-f][0-9a-f]/*"))

    def stands(self) -> dict[str, Any]:
        """At least one study, and what is there."""
        if not self.sent:
            self.owner.wait_for_upload(self.upload())
        return self.check()

    def wait_for_rest(self) -> None:
        """No job waits or runs, and the spool's rows are gone."""
        for sql in ("jobs_job WHERE state IN ('queued', 'running')", "records_uploadpart"):
            wait_for(
                lambda sql=sql: not self.side.row(f"SELECT 1 FROM {sql}"),
                within_s=AT_REST_WITHIN_S,
                why=self.installation.tail,
            )

    def check(self) -> dict[str, Any]:
        """Everything that was sent is there exactly once; returns what was found."""
        found = look_inside(self.installation)
        assert found["uploads"] == dict.fromkeys(self.sent, "done")
        for upload, hashes in self.sent.items():
            (study,) = found["studies_of"][upload]
            kept = found["studies"][study]
            assert kept["originals"] == hashes
            assert kept["instances"] == kept["objects"]["original"] == SLICES
            assert kept["objects"]["frame"] > SLICES
            assert found["trail"][f"study.stored {study}"] == 1
        assert len(found["studies"]) == found["study_keys"] == len(self.sent)
        assert found["packs_match"], "the vault holds what nobody refers to, or lacks what somebody does"
        assert (found["parts"], found["in_the_spool"], found["faults"]) == (0, 0, [])
        assert not any(job.endswith(("running", "failed")) for job in found["jobs"]), found["jobs"]
        return found


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def kill_worker(installation: Installation) -> None:
    """The worker and the image reader at once, the worker first: it must not write a verdict on its reader's death."""
    victims = [*installation.descendants("celery"), *installation.descendants("portal.dicom.child")]
    assert victims, "there is no worker to kill"
    for pid in victims:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def kill_everything(installation: Installation) -> None:
    """All processes, in any order."""
    assert installation.process
    family = [installation.process.pid, *installation.descendants()]
    random.Random(len(family)).shuffle(family)
    for pid in family:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    installation.kill()


def kill_supervisor(installation: Installation) -> None:
    """The supervisor alone; the kernel ends the others."""
    installation.kill()
