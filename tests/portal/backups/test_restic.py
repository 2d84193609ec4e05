"""The two lines of deploy/README.md that carry the backup folder to anywhere restic goes, and back."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from portal.backups.folder import FolderTarget
from portal.backups.snapshot import back_up
from tests.deploy.test_samples import needed
from tests.portal.backups.conftest import Elsewhere
from tests.viewer.conftest import Stored

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.services]

FOLDER = "/mnt/backups/scanpass"


def told_lines() -> list[str]:
    """What the deployment's page says, word for word."""
    page = (Path(settings.BASE_DIR) / "deploy" / "README.md").read_text()
    return re.findall(r"^    (.*restic -r REPOSITORY .*)$", page, re.MULTILINE)


def run(line: str, target: FolderTarget, repository: Path) -> subprocess.CompletedProcess[str]:
    words = shlex.split(line.replace(FOLDER, str(target.root)).replace("REPOSITORY", str(repository)))
    return subprocess.run(
        words,
        env=os.environ
        | {"RESTIC_PASSWORD": "known to this test", "RESTIC_CACHE_DIR": str(repository) + "-cache"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_r8_folder_goes_through_restic_and_restores(
    target: FolderTarget, kept: Stored, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    needed("restic", package="restic")
    there = tmp_path / "repository"
    back_up(target)
    assert run("restic -r REPOSITORY init", target, there).returncode == 0
    carry, bring_back = told_lines()
    with target.locked():
        assert run(carry.replace("flock", "flock --nonblock"), target, there).returncode == 1, (
            "it waits for ours"
        )
    sent = run(carry, target, there)
    assert sent.returncode == 0, sent.stderr
    files = {path.relative_to(target.root) for path in target.root.rglob("*") if path.is_file()}
    shutil.rmtree(target.root)
    back = run(bring_back, target, there)
    assert back.returncode == 0, back.stderr
    left_out = {path for path in files if path.parts[0] == "tmp"}
    assert {
        path.relative_to(target.root) for path in target.root.rglob("*") if path.is_file()
    } == files - left_out
    done = elsewhere.proved(target)
    assert (done["hit"], done["proof"]["unopened"], done["proof"]["studies"]) == ([], [], 1)
