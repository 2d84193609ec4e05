"""An installation with a study and a share, a folder for its backups, and a second machine to restore on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from portal.accounts.models import User
from portal.backups import postgresql, s3_bucket, s3_file
from portal.backups.address import target_at
from portal.backups.folder import FolderTarget
from portal.backups.snapshot_index import Index
from portal.backups.target import Target
from portal.practice.models import Agreement, BusinessAssociate, Practice
from portal.records.models import Patient
from portal.records.vault import vault
from portal.vault.store import Store
from tests.cast import make_agreement
from tests.portal.backups.s3_server import S3Server, serving
from tests.viewer.conftest import Stored, made_study


@pytest.fixture(autouse=True)
def _vault_of_this_test(settings: Any, tmp_path: Path) -> None:
    """Backups look at all packs there are, so every test has a vault of its own."""
    settings.VAULT_DIR = tmp_path / "vault"


@pytest.fixture
def target(tmp_path: Path) -> FolderTarget:
    return FolderTarget(tmp_path / "backups")


@pytest.fixture(scope="module")
def running_store() -> Iterator[S3Server]:
    with serving() as server:
        yield server


@pytest.fixture
def store(running_store: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """An empty bucket, and no patience with it."""
    running_store.empty()
    monkeypatch.setattr(s3_bucket, "TRIES", 1)
    monkeypatch.setattr(s3_file, "PAUSES_S", ())
    return running_store


@pytest.fixture
def bucket(store: S3Server, settings: Any) -> Target:
    """The target, of the practice's own store."""
    settings.BACKUP_TARGET, settings.BACKUP_BUCKET_VENDOR = store.address(), ""
    return target_at(settings.BACKUP_TARGET)


@pytest.fixture
def kept(pat: Patient, dana: User) -> Stored:
    """What the installation holds."""
    return made_study(pat)


@dataclass
class Elsewhere:
    """A machine that has only the backup and the key files."""

    state: Path
    environment: dict[str, str]

    def restore(self, target: FolderTarget, *options: str) -> subprocess.CompletedProcess[str]:
        return self.run("restore", "--from", target.address, "--state", str(self.state), *options)

    def proved(self, target: FolderTarget, *options: str) -> dict[str, Any]:
        done = self.restore(target, "--prove", *options)
        assert done.stdout.startswith("{"), done.stderr
        return json.loads(done.stdout)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def ask(self, expression: str) -> Any:
        """What an expression says there, as JSON; models are at hand by their names."""
        program = (
            "import django, json; django.setup();"
            "from django.apps import apps; here = {m.__name__: m for m in apps.get_models()};"
            "from portal.backups.scrub import scrub; here['scrub'] = scrub;"
            f"print(json.dumps(eval({expression!r}, here)))"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=settings.BASE_DIR,
            env={**self.environment, "SCANPASS_STATE": str(self.state)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    database = postgresql.scratch() if connection.vendor == "postgresql" else nullcontext("")
    dropped = ("SCANPASS_VAULT", "SCANPASS_SPOOL", "SCANPASS_STATE", "DATABASE_URL", "CELERY_BROKER_URL")
    with database as url:
        environment = {name: value for name, value in os.environ.items() if name not in dropped}
        environment |= {
            "SCANPASS_BOOTSTRAP": "0",
            "SCANPASS_KEYRING": str(settings.KEYRING_PATH),
            "SCANPASS_BACKUP_KEYRING": str(settings.BACKUP_KEYRING_PATH),
            **({"DATABASE_URL": url} if url else {}),
        }
        yield Elsewhere(tmp_path / "elsewhere", environment)


@pytest.fixture
def count_reads(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The names of the packs whose bytes were read since, each time one was."""
    from portal.vault import copies, store

    read: list[str] = []
    whole = copies.copy_sealed

    def counted(source: Path, aside: Path, to: Path) -> Any:
        read.append(source.name)
        return whole(source, aside, to)

    monkeypatch.setattr(store, "copy_sealed", counted)
    return lambda: read


def pack_files(target: FolderTarget) -> list[Path]:
    """The packs in the backup."""
    return sorted(path for path in (target.root / "objects").glob("??/*") if len(path.name) == 32)


def index_of(target: Target) -> Index:
    """The newest snapshot's index."""
    return Index.decode(target.snapshot().read("index"))


def bytes_of(store: Store, name: str) -> bytes:
    """A pack as it lies."""
    with store.sealed(name) as file:
        return file.read()


def agree(practice: Practice) -> Agreement:
    associate = BusinessAssociate.objects.create(practice=practice, name="Cloud Ltd", adapter="s3")
    return make_agreement(associate)


def packs_here() -> set[str]:
    return set(vault().names())
