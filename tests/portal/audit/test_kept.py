"""Acts on a machine without a trail are kept, and told to it once there is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from portal.audit import installation, kept
from portal.audit.events import FAILED, REFUSED
from portal.audit.models import AuditEntry
from portal.audit.verify import verify
from portal.practice.models import Practice
from portal.sealed.keys import INSTALLATION, forget_keys
from portal.vault.providers.file import FileProvider

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _state_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.STATE_DIR = tmp_path / "state"


@pytest.fixture
def no_trail(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(kept, "_has_trail", lambda: False)
    return monkeypatch


def told() -> list[tuple[str, str, dict[str, Any]]]:
    rows = AuditEntry.objects.filter(practice_id=INSTALLATION).order_by("n")
    return [(row.code, row.outcome, json.loads(bytes(row.event)).get("facts", {})) for row in rows]


def test_r7_act_goes_into_the_trail_where_there_is_one(settings: Any) -> None:
    kept.note("restore.refused", outcome=REFUSED, reason="Conflict")
    assert told() == [("restore.refused", "refused", {"reason": "Conflict"})]
    assert not settings.STATE_DIR.exists()


def test_r7_act_without_a_trail_is_kept_and_told_once_in_its_order(
    settings: Any, no_trail: pytest.MonkeyPatch
) -> None:
    kept.note("keyring.recovered", outcome=REFUSED)
    kept.note("keyring.recovered", versions=2)
    assert kept.tell() == 0, "there is none yet"
    kept.note("restore.refused", outcome=REFUSED, reason="NotFound")
    assert told() == []
    assert {path.stat().st_mode & 0o777 for path in settings.STATE_DIR.iterdir()} == {0o600}
    no_trail.undo()
    assert (kept.tell(), kept.tell(), kept.tell()) == (2, 1, 0)
    assert [(code, outcome, facts["was_kept"]) for code, outcome, facts in told()] == [
        ("keyring.recovered", "refused", True),
        ("keyring.recovered", "ok", True),
        ("restore.refused", "refused", True),
    ]
    assert all(facts["tried_at"].endswith("+00:00") for _, _, facts in told())
    assert list(settings.STATE_DIR.iterdir()) == []
    assert verify(INSTALLATION).finding is None


def test_r7_act_that_is_not_ours_gains_no_name_in_the_trail(
    settings: Any, no_trail: pytest.MonkeyPatch
) -> None:
    kept.note("keyring.recovered")
    with (settings.STATE_DIR / "kept_acts.jsonl").open("a") as file:
        file.write(
            '{"code": "backup.made", "outcome": "ok"}\n{"code": "keyring.recovered", "outcome": "fine"}\n'
        )
        file.write('[]\n{"code": "keyr')
    no_trail.undo()
    assert kept.tell() == 5
    assert [(code, outcome) for code, outcome, _ in told()] == [
        ("keyring.recovered", "ok"),
        *[("restore.refused", "failed")] * 4,
    ]


def test_trail_in_the_middle_of_a_restore_is_none(settings: Any) -> None:
    settings.STATE_DIR.mkdir()
    (settings.STATE_DIR / "restoring").touch()
    kept.note("restore.refused", outcome=REFUSED)
    assert told() == []
    (settings.STATE_DIR / "restoring").unlink()
    assert kept.tell() == 1


@pytest.mark.slow
def test_r7_each_try_at_the_sheet_is_told(settings: Any, tmp_path: Path, smile: Practice) -> None:
    settings.KEYRING_PATH = tmp_path / "keys" / "keyring.json"
    settings.KEYRING_PATH.parent.mkdir()
    FileProvider.create(settings.KEYRING_PATH)
    forget_keys()
    sheet, right, wrong = tmp_path / "sheet.txt", tmp_path / "right", tmp_path / "wrong"
    right.write_text("plum anchor violet harbour seven\n")
    wrong.write_text("plum anchor violet harbour eight\n")
    call_command("keyring", "escrow", str(sheet), f"--passphrase-file={right}")
    before = AuditEntry.objects.filter(practice_id=INSTALLATION).count()
    with pytest.raises(CommandError):
        call_command("keyring", "recover", str(sheet), f"--passphrase-file={wrong}")
    with pytest.raises(CommandError, match="already"):
        call_command("keyring", "recover", str(sheet), f"--passphrase-file={right}")
    settings.KEYRING_PATH.unlink()
    call_command("keyring", "recover", str(sheet), f"--passphrase-file={right}")
    assert [one[:2] for one in told()[before:]] == [
        ("keyring.recovered", REFUSED),
        ("keyring.recovered", FAILED),
        ("keyring.recovered", "ok"),
    ]
    assert installation.last("keyring.recovered") is not None
