"""Collecting and compressing the static files, only when one of them has changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
MAKERS = ("portal/lean_static.py", "portal/joined_modules.py")


def collect(state: Path) -> None:
    """Bring `state`/static up to date; the stamp is written last, so an interrupted run is done again."""
    stamp = state / "static.sha256"
    digest = _digest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    fresh = stamp.with_suffix(".new")
    fresh.write_text(digest)
    os.replace(fresh, stamp)


def _digest() -> str:
    """Of every file of ours, of the lock (packages bring static files too), and of what joins the modules."""
    digest = hashlib.sha256((ROOT / "requirements.lock").read_bytes())
    files = [*(ROOT / "static").rglob("*"), *(ROOT / name for name in MAKERS)]
    for path in sorted(path for path in files if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
