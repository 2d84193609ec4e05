"""Acts on a machine that has no trail: kept beside the state, and told to the trail once there is one.

After a fire the trail comes back with the restore. Who tried passphrases on the escrow sheet before that, and which
restores were refused, belongs into it too. The file is as safe as the machine is: whoever owns it can delete it.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import Error, connection

from portal.audit import installation
from portal.audit.events import FAILED, OK, REFUSED
from portal.audit.models import AuditEntry
from portal.vault.disk import make_folder

# Nothing else is taken from the file into the trail.
CODES: Final = frozenset({"keyring.recovered", "keyring.escrow-verified", "restore.refused"})
LINES_MAX: Final = 1000


def note(code: str, *, outcome: str = OK, **facts: Any) -> None:
    """Write an act of the installation into its trail or, where there is none yet, keep it until there is."""
    try:
        if _has_trail():
            installation.note(code, outcome=outcome, **facts)
            return
    except Error:
        # A trail that can't be written to (locked, of an older version): what isn't told is kept.
        pass
    _keep({"code": code, "outcome": outcome, "tried_at": _now(), **facts})


def tell() -> int:
    """Write into the trail what was kept, in its order; returns how many. Killed in between, it tells them again."""
    _claim()
    if not _claimed().exists() or not _has_trail():
        return 0
    lines = _claimed().read_text(errors="replace").splitlines()[:LINES_MAX]
    for line in lines:
        _tell(line)
    _claimed().unlink()
    return len(lines)


def _tell(line: str) -> None:
    try:
        said = json.loads(line)
        code, outcome = said.pop("code"), said.pop("outcome")
        is_ours = code in CODES and outcome in (OK, REFUSED, FAILED)
    except (ValueError, KeyError, TypeError, AttributeError):
        is_ours = False
    if not is_ours:
        # A line cut by a full disk, or written by somebody else: that there was one is told.
        code, outcome, said = "restore.refused", FAILED, {"reason": "unreadable"}
    facts = {str(name): value for name, value in said.items() if isinstance(value, int | str)}
    installation.note(code, outcome=outcome, was_kept=True, **facts)


def _claim() -> None:
    """Take the file aside, so that what is kept from now on is told next time; one left by a kill comes first."""
    if _file().exists() and not _claimed().exists():
        _file().rename(_claimed())


def _keep(said: dict[str, Any]) -> None:
    make_folder(_file().parent)
    fd = os.open(_file(), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, json.dumps(said).encode() + b"\n")
        os.fsync(fd)
    finally:
        os.close(fd)


def _has_trail() -> bool:
    """Whether there is a trail to write into: not before a restore, and not in the middle of one."""
    if (Path(settings.STATE_DIR) / "restoring").exists():
        return False
    try:
        return AuditEntry._meta.db_table in connection.introspection.table_names()
    except Error:
        return False


def _now() -> str:
    # This machine's clock: there may be no database to ask for the time.
    return datetime.now(UTC).isoformat(timespec="seconds")


def _file() -> Path:
    return Path(settings.STATE_DIR) / "kept_acts.jsonl"


def _claimed() -> Path:
    return Path(settings.STATE_DIR) / "kept_acts.telling"
