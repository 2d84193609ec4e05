"""The key file of an installation, made once; never on the disk of the data unless a person said so."""

from __future__ import annotations

import os
from pathlib import Path

from portal.serving.refusal import CannotStart
from portal.vault.providers.file import FileProvider


def prepare(keyring: Path, *, state: Path, accepts_colocated: bool) -> None:
    """Make the key file where there is none.

    Raises `CannotStart` where it would lie on the file system of `state` without `accepts_colocated`: whoever
    takes that disk would hold both the sealed data and its keys (45 CFR 164.312(a)(2)(iv)).
    """
    if not accepts_colocated and _device(keyring) == _device(state):
        raise CannotStart(
            f"The key file {keyring} would lie on the same disk as the data it opens."
            " Set SCANPASS_KEYRING=/other/disk/keyring.json, or start with --accept-colocated-keys"
            " (staff pages will then say so)."
        )
    if keyring.exists():
        return
    if (state / "db.sqlite3").exists():
        raise CannotStart(
            f"There is data in {state}, and its key file {keyring} is missing. Put the key file back"
            " (or set SCANPASS_KEYRING to where it is); a new one could not open the data."
        )
    keyring.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    FileProvider.create(keyring)


def _device(path: Path) -> int:
    """The file system on which `path` is or would be."""
    while not path.exists():
        path = path.parent
    return os.stat(path).st_dev
