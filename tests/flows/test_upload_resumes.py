"""kill -9 of the web server during an upload: what was taken stays, the rest follows, and no byte is another one."""

from __future__ import annotations

import io
import os
import signal
import zipfile
from collections.abc import Callable, Iterator
from datetime import date

import pytest

from tests.flows.desk import Chart, zipped
from tests.flows.installation import Installation
from tests.flows.large import report
from tests.flows.new_practice import Owner, new_installation
from tests.flows.resuming import Sender
from tests.portal.records.scans import Scan, series

MIB = 1 << 20
BIRTH = date(1986, 4, 12)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    installation = new_installation(tmp_path_factory.mktemp("resumes"))
    try:
        yield Owner(installation.start()).set_up().sign_in()
    finally:
        installation.kill()


def workers(installation: Installation) -> list[int]:
    """granian's own children, which serve the requests."""
    web = installation.descendants("granian")
    return [pid for pid in web if parent_of(pid) in web]


def web_server(installation: Installation) -> list[int]:
    """granian itself, with whose end its workers end."""
    web = installation.descendants("granian")
    return [pid for pid in web if parent_of(pid) not in web]


def parent_of(pid: int) -> int:
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def killer(installation: Installation, victims: Callable[[Installation], list[int]]) -> Callable[[], None]:
    """Kills without a word what `victims` names at that moment."""

    def kill() -> None:
        found = victims(installation)
        assert found, "there is no web server to kill"
        for pid in found:
            os.kill(pid, signal.SIGKILL)

    return kill


def upload_and_kill(
    owner: Owner, chart: Chart, content: bytes, deeds: dict[int, Callable[[], None]]
) -> list[int]:
    """Upload one file while the deeds are done; what HEAD told meanwhile. The stored files are compared."""
    opened = owner.begin_upload(chart)
    sender = Sender(owner.browser, content, deeds).announce(opened["files"], "scan").send()
    assert not sender.deeds, "the web server was not killed"
    told = owner.finish_upload(opened)
    assert (told["refused"], told["quarantined"], len(told["studies"])) == ([], 0, 1), told
    archive = owner.browser.get(f"/desk/studies/{told['studies'][0]['id']}/download")
    assert archive.status == 200, archive.text
    assert sorted(images_of(archive.body)) == sorted(sent_files(content))
    return sender.offsets


def images_of(archive: bytes) -> list[bytes]:
    """The images of a download, without its table of contents and notes."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        names = [name for name in opened.namelist() if "." not in name and name != "DICOMDIR"]
        return [opened.read(name) for name in names]


def sent_files(content: bytes) -> list[bytes]:
    """What was uploaded: the members of a ZIP, or the one file."""
    if content[:2] != b"PK":
        return [content]
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return [opened.read(name) for name in opened.namelist()]


def test_an_upload_goes_on_after_kill_9_of_the_web_server(owner: Owner) -> None:
    chart = owner.add_patient("Garcia", "Maria", BIRTH)
    content = report(40 * MIB)
    offsets = upload_and_kill(owner, chart, content, {25 * MIB: killer(owner.installation, workers)})
    assert offsets[0] == 0
    assert 10 * MIB < offsets[1] <= 26 * MIB, offsets
    assert offsets[-1] == len(content)


@pytest.mark.slow
def test_a_zip_goes_on_after_three_kills(owner: Owner) -> None:
    chart = owner.add_patient("Garcia", "Maria", BIRTH)
    scan = Scan(study_uid="1.2.3.4100", series_uid="1.2.3.4100.1")
    content = zipped(series(scan, 60, size=700).items())
    deeds = {
        share * len(content) // 4: killer(owner.installation, victims)
        for share, victims in ((1, web_server), (2, workers), (3, web_server))
    }
    offsets = upload_and_kill(owner, chart, content, deeds)
    assert offsets == sorted(offsets)
    assert len(set(offsets)) >= 4, offsets
