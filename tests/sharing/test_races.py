"""The races of `python -m bench.races`, a few runs of each: four processes, a hundred threads, one installation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_nobody_of_a_hundred_passes_a_limit(tmp_path: Path) -> None:
    ours = ("SCANPASS", "DJANGO", "DATABASE_URL", "CELERY", "CACHE_URL")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    command = [sys.executable, "-m", "bench.races", "--runs", "5"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**environment, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" runs   wanted ") == 9
