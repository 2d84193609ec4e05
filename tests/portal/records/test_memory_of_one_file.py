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

FRAMES = [count // 2 for count in ONE_FILE_FRAMES]


def taken_in(folder: Path, frames: int, *, is_zipped: bool) -> dict[str, Any]:
    folder.mkdir()
    file = write_one_file(folder / "scan.dcm", frames)
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
    small, large = (taken_in(tmp_path / str(count), count, is_zipped=is_zipped) for count in FRAMES)
    print(small, large)
    assert large["lent_bytes"] <= WINDOW_BYTES
    assert large["peak_bytes"] <= MOST_GROWTH * small["peak_bytes"], (small, large)
