"""`manage.py keyring` as an operator uses it: status, escrow and the way back from a sheet."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from portal.audit import installation
from portal.audit.models import AuditEntry
from portal.sealed.keys import forget_keys, practice_key
from portal.vault.providers.file import FileProvider

WORDS = "plum anchor violet harbour seven"


@pytest.fixture
def passphrase(tmp_path):
    (tmp_path / "passphrase").write_text(WORDS + "\n")
    return f"--passphrase-file={tmp_path / 'passphrase'}"


@pytest.fixture
def keyring(tmp_path, settings):
    settings.KEYRING_PATH = tmp_path / "keys" / "keyring.json"
    forget_keys()
    call_command("keyring", "create")
    return FileProvider(settings.KEYRING_PATH)


def test_a_key_file_is_made_once(keyring):
    with pytest.raises(CommandError, match="never written over"):
        call_command("keyring", "create")


def test_status_says_what_there_is_and_what_is_to_do(keyring, smile, settings, tmp_path, capsys):
    settings.VAULT_DIR = tmp_path / "vault"
    keyring.rotate()
    call_command("keyring", "status")
    said = capsys.readouterr().out
    assert "version 1: 2 practice keys\n" in said
    assert "version 2: 0 practice keys  active" in said
    for words in ("keyring rewrap", "lies on the disk of the data", "verify-escrow"):
        assert words in said, words


def test_status_of_keys_out_of_reach_says_so(keyring, smile, settings):
    settings.KEYRING_PATH.unlink()
    with pytest.raises(CommandError, match="keyring-missing"):
        call_command("keyring", "status")


def test_the_way_back_from_a_sheet(keyring, smile, settings, tmp_path, passphrase, clock):
    key, sheet = practice_key(smile.pk), tmp_path / "sheet.txt"
    call_command("keyring", "escrow", str(sheet), passphrase)
    assert keyring.content() not in sheet.read_bytes()
    assert installation.escrow_is_overdue(1)
    call_command("keyring", "verify-escrow", str(sheet), passphrase)
    assert not installation.escrow_is_overdue(1)
    with pytest.raises(CommandError, match="Move it away"):
        call_command("keyring", "recover", str(sheet), passphrase)
    settings.KEYRING_PATH.unlink()
    forget_keys()
    call_command("keyring", "recover", str(sheet), passphrase)
    assert practice_key(smile.pk) == key


def test_a_sheet_is_due_again_after_ninety_days_and_after_a_rotation(
    keyring, smile, tmp_path, passphrase, clock
):
    sheet = tmp_path / "sheet.txt"
    call_command("keyring", "escrow", str(sheet), passphrase)
    call_command("keyring", "verify-escrow", str(sheet), passphrase)
    assert installation.escrow_is_overdue(2)
    clock.advance(days=91)
    assert installation.escrow_is_overdue(1)
    keyring.rotate()
    with pytest.raises(CommandError, match="lacks version 2"):
        call_command("keyring", "verify-escrow", str(sheet), passphrase)


def test_a_wrong_passphrase_or_sheet_is_refused_in_words(keyring, smile, tmp_path, passphrase):
    sheet = tmp_path / "sheet.txt"
    call_command("keyring", "escrow", str(sheet), passphrase)
    with pytest.raises(CommandError, match="exists already"):
        call_command("keyring", "escrow", str(sheet), passphrase)
    with pytest.raises(CommandError, match="can't be read"):
        call_command("keyring", "verify-escrow", str(tmp_path / "none.txt"), passphrase)
    (tmp_path / "passphrase").write_text("another passphrase altogether")
    with pytest.raises(CommandError, match="does not open"):
        call_command("keyring", "verify-escrow", str(sheet), passphrase)
    assert outcomes() == ["refused"]
    assert installation.last("keyring.escrow-verified") is None, "a try that failed checks nothing"


def test_a_sheet_that_lacks_a_version_is_refused_and_told(keyring, smile, tmp_path, passphrase):
    sheet = tmp_path / "sheet.txt"
    call_command("keyring", "escrow", str(sheet), passphrase)
    keyring.rotate()
    with pytest.raises(CommandError, match="lacks version 2"):
        call_command("keyring", "verify-escrow", str(sheet), passphrase)
    assert outcomes() == ["failed"]
    assert installation.escrow_is_overdue(2)


def outcomes() -> list[str]:
    entries = AuditEntry.objects.filter(code="keyring.escrow-verified").order_by("n")
    return list(entries.values_list("outcome", flat=True))


def test_keys_in_a_service_have_no_sheet(smile, settings, tmp_path, passphrase):
    settings.KEY_PROVIDER = "vault-transit"
    with pytest.raises(CommandError, match="keeps them itself"):
        call_command("keyring", "escrow", str(tmp_path / "sheet.txt"), passphrase)
