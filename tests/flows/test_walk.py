"""The walk as one plain command beside a demo that has just begun."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.installation import ROOT, Installation


@pytest.mark.slow
def test_p0_p1_p2_p5_p6_p12_are_walked_by_one_command_over_http_alone(tmp_path: Path) -> None:
    demo = Installation(tmp_path / "demo").start()
    try:
        # Nothing of the demo's environment: no database, no keys; two files and an address are all it has.
        words = [sys.executable, "-m", "tests.flows.walk", str(demo.state)]
        walked = subprocess.run(
            words, cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, check=False
        )
    finally:
        demo.stop()
    assert walked.returncode == 0, walked.stdout + walked.stderr
    said = [line.split()[:2] for line in walked.stdout.splitlines()]
    assert said == [[name, "ok,"] for name in ("P0", "P1", "P2", "P5", "P6", "P12")]
