"""One head of the shared generator, written as different makers write: bits, sign, rescale, order and syntax."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

COLUMNS, ROWS, SLICES, VOXEL_MM = 36, 40, 30, 2.5
DIALECTS = ["plain", "signed12", "unsigned12", "scaled", "rle"]
# 12 bits end here, in HU.
CEILINGS = {"signed12": 2047, "unsigned12": 3071}


def make_head(data_dir: Path, folder: Path, dialect: str, *, name: str = "") -> list[bytes]:
    """The head in a dialect, in the order of its files' names; of someone of that name (Family^Given)."""
    tool = data_dir.parent / "tools" / "make_cbct.py"
    if not tool.exists():
        pytest.skip("the generator of test volumes (../shared/tools) is not on this machine")
    size = map(str, (COLUMNS, ROWS, SLICES))
    options = ["--fast", "--quiet", "--voxel", str(VOXEL_MM), "--dialect", dialect, "--size", *size]
    if name:
        options += ["--patient-name", name]
    subprocess.run([sys.executable, tool, "synth", folder, *options], check=True, stdout=subprocess.DEVNULL)
    return [path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()]


def hounsfield(plain: list[bytes]) -> NDArray[np.float64]:
    """The head by pydicom and arithmetic alone: slice by slice from the lowest up."""
    datasets = [pydicom.dcmread(io.BytesIO(data)) for data in plain]
    datasets.sort(key=lambda ds: ds.ImagePositionPatient[2])
    assert all(list(ds.ImageOrientationPatient) == [1, 0, 0, 0, 1, 0] for ds in datasets)
    return np.stack([ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept) for ds in datasets])
