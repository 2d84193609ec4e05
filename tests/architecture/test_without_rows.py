"""The second run of `.ci/run` leaves out what asks no database: it may leave out nothing else."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What a test says that stands on rows: pytest-django's marks and fixtures, the cast, an installation.
ON_ROWS = re.compile(
    r"django_db|transactional_db|\bdb: None|\b(smile|bright): Practice|: (Installation|Desk)\b"
)


def left_out() -> list[str]:
    told = re.search(r"^WITHOUT_ROWS=\(.*?^\)", (ROOT / ".ci/run").read_text(), re.DOTALL | re.MULTILINE)
    assert told
    script = f'{told[0]}\nprintf "%s\\n" "${{WITHOUT_ROWS[@]}}"'
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("place", left_out())
def test_what_the_second_run_leaves_out_has_no_rows(place: str) -> None:
    path = ROOT / place
    assert path.exists(), f"{place} is gone: take it out of .ci/run"
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    assert [str(file) for file in files if file != Path(__file__) and ON_ROWS.search(file.read_text())] == []
