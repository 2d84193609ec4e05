"""A state directory of its own for each test process, set before Django reads its settings.

Loaded by `-p tests.state` (pyproject.toml), because a conftest comes too late for that.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from pathlib import Path

import pytest

STATE = Path(tempfile.mkdtemp(prefix="scanpass-test-"))
os.environ["SCANPASS_STATE"] = str(STATE)
os.environ["SCANPASS_ACCEPT_COLOCATED_KEYS"] = "1"
os.environ["SCANPASS_SECRET_KEY"] = secrets.token_urlsafe(48)
os.environ["SCANPASS_GATEWAY"] = "outbox"
os.environ["SCANPASS_STATIC_FROM_SOURCE"] = "1"
os.environ.pop("SCANPASS_KEYRING", None)
os.environ.pop("SCANPASS_DEMO", None)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
# Playwright runs an event loop in the test's thread; Django would refuse its own synchronous work there.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def pytest_configure(config: pytest.Config) -> None:
    from portal.vault.providers.file import FileProvider

    (STATE / "keys").mkdir(mode=0o700)
    (STATE / "static").mkdir()  # whitenoise warns of a missing folder, and a warning fails the run
    FileProvider.create(STATE / "keys" / "keyring.json")


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(STATE, ignore_errors=True)
