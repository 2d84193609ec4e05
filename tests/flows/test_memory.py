"""800 MB need no more memory than 80: neither of the worker that takes a study in, nor of the server that sends it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.flows.desk import Chart
from tests.flows.installation import Installation
from tests.flows.large import report
from tests.flows.new_practice import Owner, new_installation
from tests.portal.records.scans import Scan

pytestmark = pytest.mark.slow

MB = 10**6
FILE_BYTES = 8 * MB
SMALL_MB, LARGE_MB = 80, 800
# Ten times the study may move the allocator's peak a little, and must not move it with the size.
LEEWAY_MB = 48


class Peak:
    """The peak of some processes' memory above what they have now, in MB. Source: proc(5), VmHWM and clear_refs."""

    def __init__(self, pids: list[int]) -> None:
        assert pids
        self._pids = pids
        for pid in pids:
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        self._before = self._sum("VmRSS")

    def _sum(self, field: str) -> float:
        return sum(_status_kb(pid, field) for pid in self._pids) / 1000

    @property
    def above_before(self) -> float:
        return self._sum("VmHWM") - self._before


def _status_kb(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    installation = new_installation(tmp_path_factory.mktemp("memory"))
    try:
        yield Owner(installation.start()).set_up().sign_in()
    finally:
        installation.kill()


def take_in(owner: Owner, chart: Chart, size_mb: int, content: bytes) -> str:
    """Upload a study of that size; its id."""
    scan = Scan(study_uid=f"1.2.3.{size_mb}", series_uid=f"1.2.3.{size_mb}.1")
    upload = owner.begin_upload(chart)
    for number in range(size_mb * MB // FILE_BYTES):
        owner.send_file(upload, f"{number}.dcm", report(FILE_BYTES, scan=scan, content=content))
    told = owner.finish_upload(upload)
    assert (told["refused"], len(told["studies"])) == ([], 1), told
    return str(told["studies"][0]["id"])


def download(owner: Owner, study: str) -> int:
    """Read all of it and keep nothing; the bytes read."""
    with owner.browser.open("GET", f"/desk/studies/{study}/download") as answer:
        assert answer.status == 200
        read = sum(map(len, iter(lambda: answer.read(1 << 20), b"")))
        assert read == int(answer.headers["Content-Length"])
    return read


def web(installation: Installation) -> list[int]:
    return installation.descendants("granian")


def worker(installation: Installation) -> list[int]:
    return installation.descendants("celery")


def test_ten_times_the_study_takes_no_more_memory(owner: Owner) -> None:
    content, chart = os.urandom(FILE_BYTES), owner.add_patient("Garcia", "Maria", date(1986, 4, 12))
    peaks: dict[int, dict[str, float]] = {}
    for size_mb in (SMALL_MB, LARGE_MB):
        receiving, reading = Peak(web(owner.installation)), Peak(worker(owner.installation))
        study = take_in(owner, chart, size_mb, content)
        sending = Peak(web(owner.installation))
        assert download(owner, study) > size_mb * MB
        named = {"receiving": receiving, "reading": reading, "sending": sending}
        peaks[size_mb] = {name: peak.above_before for name, peak in named.items()}
    print(peaks)
    for name, small in peaks[SMALL_MB].items():
        assert peaks[LARGE_MB][name] < small + LEEWAY_MB, (name, peaks)
