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

_MEMORY = Path("/dev/shm")
_ROOMY = 4 * 1024**3


def _fast_folder() -> Path | None:
    """A file system in memory where there is room for one: thousands of tests sync to disk after each act."""
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOMY:
        return _MEMORY
    return None


STATE = Path(tempfile.mkdtemp(prefix="scanpass-test-", dir=_fast_folder()))
os.environ["SCANPASS_STATE"] = str(STATE)
os.environ["SCANPASS_ACCEPT_COLOCATED_KEYS"] = "1"
os.environ["SCANPASS_SECRET_KEY"] = secrets.token_urlsafe(48)
os.environ["SCANPASS_GATEWAY"] = "outbox"
os.environ["SCANPASS_UNDO_S"] = "0"  # messages leave at once; the tests of undoing say otherwise
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
