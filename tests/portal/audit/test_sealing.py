"""Keys out of reach, a version that is missing, and keys that are back: each in the installation's trail, once."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command

from portal.audit.models import AuditEntry
from portal.audit.sealing import BACK, GONE, look
from portal.sealed.keys import INSTALLATION, forget_keys
from portal.vault.providers.file import FileProvider


@pytest.fixture
def keyring(tmp_path, settings):
    settings.KEYRING_PATH = tmp_path / "keys" / "keyring.json"
    forget_keys()
    call_command("keyring", "create")
    return FileProvider(settings.KEYRING_PATH)


def told() -> list[tuple[str, str]]:
    rows = AuditEntry.objects.filter(practice_id=INSTALLATION, code__in=(GONE, BACK)).order_by("n")
    return [(row.code, json.loads(bytes(row.event)).get("facts", {}).get("reason", "")) for row in rows]


def test_keys_that_went_and_came_back_are_told_once_each(keyring, smile, settings):
    kept = settings.KEYRING_PATH.read_bytes()
    assert look() == ""
    settings.KEYRING_PATH.unlink()
    forget_keys()
    assert look() == look() == "keyring-missing"
    settings.KEYRING_PATH.write_bytes(kept)
    settings.KEYRING_PATH.chmod(0o600)
    assert look() == look() == ""
    assert told() == [(GONE, "keyring-missing"), (BACK, "")]


def test_a_missing_version_of_the_key_is_named(keyring, smile, settings):
    keyring.rotate()
    keyring.retire(1)
    forget_keys()
    assert look() == "version 1 is missing"
    assert told() == [(GONE, "version 1 is missing")]
