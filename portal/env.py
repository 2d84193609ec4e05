"""Typed reading of the environment; the only place that knows where the state directory lies."""

from __future__ import annotations

from pathlib import Path

import environ

ROOT = Path(__file__).resolve().parent.parent

env = environ.Env()


def state_dir() -> Path:
    """Where this installation keeps its database, vault, spool and broker folder."""
    return Path(env.str("SCANPASS_STATE", default=str(ROOT / "var"))).resolve()


def secret_from_file(path: Path) -> str | None:
    """A secret kept in a file of mode 0600, or None when the file isn't there yet."""
    try:
        return path.read_text().strip() or None
    except FileNotFoundError:
        return None
