"""The machine is gone. What is left: the backup on another disk, the escrow sheet, and the passphrase in a drawer.

Every step is the command that deploy/README.md names. On the new machine the same people sign in with what they know
and have, nothing that was open is open before the desk says so, and the images are the originals to the last byte.
"""

from __future__ import annotations

import io
import shutil
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from tests.flows.desk import Chart
from tests.flows.http_client import Browser
from tests.flows.installation import Installation
from tests.flows.new_practice import Owner, new_installation
from tests.flows.recipient import Recipient
from tests.portal.records.scans import Scan, series

BIRTH, MOBILE = date(1986, 4, 12), "+12065550147"
SLICES = 6


@dataclass
class Survived:
    """What lies elsewhere when the machine burns: files, and what people know."""

    backup: Path | str
    sheet: Path
    passphrase: Path
    owner: Owner
    chart: Chart
    link: str
    originals: list[bytes]

    @property
    def typed(self) -> tuple[str, str]:
        return (str(self.sheet), f"--passphrase-file={self.passphrase}")


@pytest.fixture
def survived(tmp_path: Path) -> Survived:
    """A practice with a study and a live share is backed up, drilled, and burns."""
    away = tmp_path / "away"
    away.mkdir()
    (away / "passphrase").write_text("plum anchor violet harbour seven\n")
    machine = new_installation(tmp_path / "burnt").start()
    try:
        owner = Owner(machine).set_up()
        chart = owner.add_patient("Garcia", "Maria", BIRTH, mobile=MOBILE)
        files = series(Scan(study_uid="1.2.3.900", series_uid="1.2.3.900.1"), SLICES)
        owner.upload(chart, files.items())
        left = Survived(
            away / "backup", away / "sheet.txt", away / "passphrase",
            owner, chart, owner.share(chart), list(files.values()),
        )  # fmt: skip
        machine.manage("keyring", "escrow", *left.typed)
        assert "holds every key" in machine.manage("keyring", "verify-escrow", *left.typed)
        machine.manage("backup", "--to", str(left.backup))
        assert "opened 1 studies to the last byte" in machine.manage("drill", "--from", str(left.backup))
    finally:
        machine.kill()
    shutil.rmtree(machine.folder)
    return left


@pytest.mark.slow
def test_r8_a_restore_from_backup_and_escrow_sheet_alone(survived: Survived, tmp_path: Path) -> None:
    machine = new_installation(tmp_path / "new", SCANPASS_KEYRING=str(tmp_path / "keys" / "keyring.json"))
    machine.manage("keyring", "recover", *survived.typed)
    told = machine.manage("restore", "--from", str(survived.backup), "--state", str(machine.state))
    assert "1 shares are locked until the desk opens each of them" in told
    machine.start()
    try:
        same_people_same_images(machine, survived)
    finally:
        machine.kill()


def same_people_same_images(machine: Installation, survived: Survived) -> None:
    patient = Recipient(machine, survived.link, address=MOBILE)
    assert patient.open().status == 404, "nothing is open before the desk says so"
    owner = survived.owner
    owner.installation, owner.browser = machine, Browser(machine.base_url)
    owner.sign_in()
    assert "Garcia" in owner.browser.get(survived.chart.path).text
    assert "Locked after a restore" in owner.browser.get("/desk/tasks").text
    share = owner.newest_share(survived.chart)
    assert owner.browser.post_form(f"/desk/shares/{share}/unlock").status == 302
    patient = Recipient(machine, survived.link, address=MOBILE)
    (study,) = patient.walk_in(BIRTH)
    with zipfile.ZipFile(io.BytesIO(patient.browser.get(study["download"]).body)) as archive:
        images = [archive.read(name) for name in archive.namelist() if name.startswith("DICOM/")]
    assert sorted(images) == sorted(survived.originals)
    assert "ok" in machine.manage("verify_audit")
