"""A real Celery worker in a process of its own, over a folder and over Redis: what it does with odd messages.

What jobs do is tested where they live; here it is the way from the row over the broker to the worker and back.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.flows.installation import OURS, ROOT, wait_for
from tests.ports import free_port

pytestmark = pytest.mark.slow

PREPARE = """
from pathlib import Path
from django.core.management import call_command
from django.conf import settings
from portal.vault.providers.file import FileProvider
settings.KEYRING_PATH.parent.mkdir(mode=0o700)
FileProvider.create(settings.KEYRING_PATH)
call_command("migrate", verbosity=0)
"""
QUEUE = """
from uuid import uuid4
from django.db import transaction
from portal.jobs.queue import enqueue
with transaction.atomic():
    job = enqueue({kind!r}, uuid4())
print(job.pk)
"""
SEND_ID = """
from portal.jobs.tasks import run_job
run_job.apply_async(args=({job_id!r},))
"""
LOOK = """
from portal.jobs.models import Job
job = Job.objects.get(pk={job_id!r})
print(job.state, job.attempts, job.failure)
"""
GONE = "failed 1 What this work was for is no longer there."


@dataclass
class Place:
    """A state folder with a database, and a broker."""

    state: Path
    broker: str

    def env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        own = {
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "SCANPASS_STATE": str(self.state),
            "SCANPASS_SECRET_KEY": "only for this test",
            "SCANPASS_ACCEPT_COLOCATED_KEYS": "1",
            "CELERY_BROKER_URL": self.broker,
        }
        return kept | own

    def do(self, program: str) -> str:
        """Run some Django code in a process of its own, as the web server would."""
        command = [sys.executable, "-c", f"import django; django.setup()\n{program}"]
        done = subprocess.run(command, cwd=ROOT, env=self.env(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def queue(self, kind: str) -> str:
        return self.do(QUEUE.format(kind=kind))

    def look(self, job_id: str) -> str:
        return self.do(LOOK.format(job_id=job_id))

    @property
    def log(self) -> Path:
        return self.state / "worker.log"

    def start_worker(self) -> subprocess.Popen[bytes]:
        """The very command the supervisor runs."""
        from portal.serving.programs import tasks

        with self.log.open("ab") as log:
            return subprocess.Popen(
                tasks().command, cwd=ROOT, env=self.env(), stdout=log, stderr=log, start_new_session=True
            )


@pytest.fixture
def redis_url(tmp_path) -> Iterator[str]:
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    process = subprocess.Popen(
        [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait()


@pytest.fixture(params=["folder", pytest.param("redis", marks=pytest.mark.services)])
def place(request, tmp_path) -> Place:
    broker = "filesystem://" if request.param == "folder" else request.getfixturevalue("redis_url")
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    place = Place(state, broker)
    place.do(PREPARE)
    return place


@pytest.fixture
def worker(place: Place) -> Iterator[subprocess.Popen[bytes]]:
    process = place.start_worker()
    yield process
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _comes_to(place: Place, job_id: str, end: str) -> None:
    wait_for(
        lambda: place.look(job_id) == end,
        within_s=60,
        why=lambda: f"{place.look(job_id)!r}\n{place.log.read_text()}",
    )


@pytest.mark.parametrize("kind", ["send", "ingest"])
def test_a_job_for_a_row_that_is_gone_fails_in_words(place, worker, kind):
    _comes_to(place, place.queue(kind), GONE)


def test_an_id_nobody_knows_and_a_message_of_nonsense_do_nothing(place, worker):
    place.do(SEND_ID.format(job_id=str(uuid.uuid4())))
    place.do(SEND_ID.format(job_id="not a uuid"))
    _comes_to(place, place.queue("send"), GONE)
    assert worker.poll() is None, "the worker goes on"
    assert "not a uuid" not in place.log.read_text()


def test_what_was_queued_without_a_worker_is_done_when_one_comes(place):
    job_id = place.queue("send")
    assert place.look(job_id) == "queued 0"
    process = place.start_worker()
    try:
        _comes_to(place, job_id, GONE)
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(timeout=90) == 0, "it ends by itself when asked"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_a_job_is_kept_when_the_broker_can_not_be_reached(tmp_path):
    place = Place(tmp_path, f"redis://127.0.0.1:{free_port()}/0")
    place.do(PREPARE)
    assert place.look(place.queue("send")) == "queued 0"
