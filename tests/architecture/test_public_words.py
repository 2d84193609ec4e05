"""What a public project must not hold: third-party code, registries' hosts, machine paths."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_no_lock_file_names_a_host():
    for lock in ROOT.glob("requirements*.lock"):
        assert "://" not in lock.read_text(), lock.name


def test_no_file_is_large_and_no_image_of_a_patient_is_committed():
    for path in _files():
        if path.exists():
            assert path.stat().st_size < 1_000_000, path
            assert path.suffix.lower() not in {".dcm", ".zip"}, path
