"""One multi-frame file of four times the length needs no more memory, however it came."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from bench.ingest.__main__ import MOST_GROWTH, ONE_FILE_FRAMES, measured
from bench.ingest.one_file import write_one_file
from portal.dicom.content import WINDOW_BYTES

pytestmark = pytest.mark.slow

SIDE = 256
LEAST_SAVED = 5
"""The file grows by 236 MB, and memory by less than a fifth of that."""


def taken_in(folder: Path, frames: int, *, is_zipped: bool) -> dict[str, Any]:
    folder.mkdir()
    file = write_one_file(folder / "scan.dcm", frames, side=SIDE)
    if is_zipped:
        with zipfile.ZipFile(folder / "scan.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.write(file)
        file.unlink()
    facts = measured(folder)
    for left in folder.iterdir():
        left.unlink()
    return facts


@pytest.mark.parametrize("is_zipped", [False, True])
def test_four_times_the_file_takes_no_more_memory(tmp_path: Path, is_zipped: bool) -> None:
    """Of the worker, of the reader, and of what they share, each at its own peak."""
    small, large = (taken_in(tmp_path / str(count), count, is_zipped=is_zipped) for count in ONE_FILE_FRAMES)
    growth = large["peak_bytes"] - small["peak_bytes"]
    grown = 2 * SIDE * SIDE * (ONE_FILE_FRAMES[1] - ONE_FILE_FRAMES[0])
    assert large["lent_bytes"] <= WINDOW_BYTES
    assert growth <= grown / LEAST_SAVED, (small, large)
    assert large["peak_bytes"] <= MOST_GROWTH * small["peak_bytes"], (small, large)
