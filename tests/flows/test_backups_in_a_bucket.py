"""The machine is gone, and the backup is in a bucket. The walk of `test_after_the_fire`, and kill -9 on both ways."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.flows.installation import ROOT, Installation
from tests.flows.new_practice import Owner, new_installation
from tests.flows.test_after_the_fire import BIRTH, MOBILE, SLICES, Survived, same_people_same_images
from tests.portal.backups.s3_server import Asked, S3Server, serving
from tests.portal.records.scans import Scan, series

pytestmark = pytest.mark.slow


@pytest.fixture
def store() -> Iterator[S3Server]:
    with serving() as server:
        yield server


def run_and_kill(machine: Installation, store: S3Server, *words: str, when: Callable[[Asked], bool]) -> None:
    """Run a command of `manage.py` and kill -9 it when its store is asked for that."""
    command = [sys.executable, str(ROOT / "manage.py"), *words]
    environment = machine.env() | {
        "SCANPASS_STATE": str(machine.state),
        "SCANPASS_ACCEPT_COLOCATED_KEYS": "1",
    }
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as work:

        def fault(asked: Asked) -> str | None:
            if when(asked):
                os.kill(work.pid, signal.SIGKILL)
                return "reset"
            return None

        store.fault = fault
        work.communicate()
        store.fault = None
        assert work.returncode == -signal.SIGKILL


def nth(count: int, method: str, word: str) -> Callable[[Asked], bool]:
    """True from the so-manieth request of that kind on."""
    seen = 0

    def when(asked: Asked) -> bool:
        nonlocal seen
        seen += asked.method == method and word in asked.path
        return seen >= count

    return when


def on_a_new_machine(folder: Path, left: Survived) -> Installation:
    """Scanpass, and the keys from the sheet; nothing else."""
    machine = new_installation(folder, SCANPASS_KEYRING=str(folder / "keys" / "keyring.json"))
    machine.manage("keyring", "recover", *left.typed)
    return machine


def restoring(machine: Installation, store: S3Server) -> tuple[str, ...]:
    return ("restore", "--from", store.address(), "--state", str(machine.state))


def test_r8_backup_in_a_bucket_survives_kill_nine_and_brings_a_new_machine_up_from_the_sheet_alone(
    store: S3Server, tmp_path: Path
) -> None:
    away = tmp_path / "away"
    away.mkdir()
    (away / "passphrase").write_text("plum anchor violet harbour seven\n")
    own = {"SCANPASS_BACKUP_TARGET": store.address(), "SCANPASS_BACKUP_VENDOR": "own"}
    machine = new_installation(tmp_path / "burnt", **own).start()
    try:
        owner = Owner(machine).set_up()
        chart = owner.add_patient("Garcia", "Maria", BIRTH, mobile=MOBILE)
        files = series(Scan(study_uid="1.2.3.900", series_uid="1.2.3.900.1"), SLICES)
        owner.upload(chart, files.items())
        left = Survived(
            store.address(), away / "sheet.txt", away / "passphrase",
            owner, chart, owner.share(chart), list(files.values()),
        )  # fmt: skip
        machine.manage("keyring", "escrow", *left.typed)
        for when in (
            nth(2, "PUT", "objects/"),
            nth(1, "PUT", "epochs/"),
            nth(1, "PUT", "snapshots/"),
            nth(3, "PUT", "snapshots/"),
        ):
            run_and_kill(machine, store, "backup", when=when)
            assert machine.manage("backup", "--list").strip() == "", "half a backup is none"
        sent = store.count("PUT", "objects/")
        machine.manage("backup")
        assert store.count("PUT", "objects/") - sent <= 1, "what had arrived doesn't travel again"
        assert "opened 1 studies to the last byte" in machine.manage("drill")
    finally:
        machine.kill()
    shutil.rmtree(machine.folder)
    before = store.objects()
    tried, new = on_a_new_machine(tmp_path / "tried", left), on_a_new_machine(tmp_path / "new", left)
    run_and_kill(tried, store, *restoring(tried, store), when=nth(3, "GET", "snapshots/"))
    with pytest.raises(AssertionError, match="did not finish"):
        tried.manage("check")
    run_and_kill(new, store, *restoring(new, store), when=nth(2, "GET", "objects/"))
    fetched = store.count("GET", "objects/")
    told = new.manage(*restoring(new, store))
    assert "1 shares are locked until the desk opens each of them" in told
    assert store.count("GET", "objects/") - fetched == sum("/objects/" in name for name in before) - 1
    assert store.objects() == before, "a restore writes nothing there"
    new.start()
    try:
        same_people_same_images(new, left)
    finally:
        new.kill()
