"""Small studies of invented patients, quick to draw and to take in."""

from __future__ import annotations

import itertools
import os
import secrets
import zlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from portal.phantom.people import InventedPatient
from portal.phantom.studies import write_cbct
from tests.flows.desk import Chart, Desk, File, folder

SIZE, VOXEL_MM = (40, 96, 96), 1.2
# Of the Pacific coast; in each the numbers 555-0100 to 555-0199 are kept for fiction.
AREAS = (
    "206",
    "253",
    "360",
    "415",
    "425",
    "503",
    "509",
    "510",
    "541",
    "619",
    "650",
    "707",
    "714",
    "805",
    "818",
)
# Other people with other UIDs in each run, so that one installation can be walked again and again.
_run = secrets.token_hex(4)


def _first_number() -> int:
    """Far from where the run's other workers begin: no two people share a telephone, and so its limits."""
    run, worker = (
        os.environ.get("PYTEST_XDIST_TESTRUNUID", _run),
        os.environ.get("PYTEST_XDIST_WORKER", "gw0"),
    )
    return zlib.crc32(run.encode()) + 300 * int(worker.removeprefix("gw"))


_numbers = itertools.count(_first_number())


@dataclass(frozen=True)
class Case:
    """A patient, a chart, and the files that were taken in."""

    person: InventedPatient
    chart: Chart
    files: list[File]


def new_person(family_name: str, given_name: str, born_in: int) -> InventedPatient:
    """Someone with a telephone, a birthday and a chart number of their own."""
    area, number = divmod(next(_numbers) % (len(AREAS) * 100), 100)
    phone = f"+1{AREAS[area]}5550{100 + number}"
    birthdate = date(born_in, 1 + secrets.randbelow(12), 1 + secrets.randbelow(28))
    return InventedPatient(family_name, given_name, birthdate, "F", f"{_run}-{phone[-6:]}", phone, "en")


def small_cbct(person: InventedPatient, at: Path) -> list[File]:
    """A cone-beam CT of 40 slices of 96 x 96."""
    write_cbct(at / "CT", person, size=SIZE, voxel_mm=VOXEL_MM)
    return folder(at / "CT")


def stored(desk: Desk, person: InventedPatient, files: list[File]) -> Case:
    """The person's new chart with the files taken in."""
    chart = desk.add_patient(person.family_name, person.given_name, person.birthdate, mobile=person.phone)
    told = desk.upload(chart, files)
    assert (told["state"], told["refused"], told["quarantined"]) == ("done", [], 0), told
    return Case(person, chart, files)
