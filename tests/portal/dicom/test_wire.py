"""The parent believes a record only field by field."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from portal.dicom.headers import Header, Plane
from portal.dicom.sandbox import Sandbox
from portal.dicom.wire import WrongRecord, rebuild, record_of
from tests.portal.dicom.files import make_file


def test_header_survives_the_wire(box: Sandbox, data_dir: Path) -> None:
    for file in (make_file(), (data_dir / "cbct_synthetic_enhanced" / "enhanced_ct.dcm").read_bytes()):
        header = box.read_header(file)
        assert rebuild(Header, json.loads(json.dumps(record_of(header)))) == header


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rows", "6"),
        ("rows", True),
        ("rows", 6.0),
        ("patient_name", None),
        ("patient_name", ["a"]),
        ("planes", {}),
        ("planes", [{"position_mm": [1, 2]}]),
        ("image_type", [1]),
        ("rescale_slope", math.inf),
        ("displayable", 1),
    ],
)
def test_wrong_field_is_refused(box: Sandbox, field: str, value: Any) -> None:
    record = json.loads(json.dumps(record_of(box.read_header(make_file()))))
    record[field] = value
    with pytest.raises(WrongRecord):
        rebuild(Header, record)


def test_missing_and_extra_fields_are_refused() -> None:
    whole = record_of(Plane())
    for record in ({**whole, "more": 1}, {key: whole[key] for key in list(whole)[1:]}, [], None):
        with pytest.raises(WrongRecord):
            rebuild(Plane, record)
