"""The two folders of sealed packs: the vault that keeps, and the spool in which uploads wait to be ingested."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from portal.vault.store import Store


def vault() -> Store:
    """Where studies lie, sealed, for good."""
    return _store(Path(settings.VAULT_DIR))


def spool() -> Store:
    """Where parts of uploads lie, sealed, until they are ingested or abandoned."""
    return _store(Path(settings.SPOOL_DIR))


@lru_cache(maxsize=8)
def _store(root: Path) -> Store:
    # One store a folder and process: it keeps open packs.
    return Store(root)
