"""Typed reading of the environment; the only place that knows where the state directory lies."""

from __future__ import annotations

from pathlib import Path

import environ
from django.conf.locale import LANG_INFO

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


def secret(name: str) -> str:
    """A secret from the file that `NAME_FILE` names (systemd's LoadCredential, a mounted secret), else from `NAME`.

    The file is the better place: an environment shows in process lists and crash dumps. A file that is named and
    can't be read ends the start with its `OSError`.
    """
    path = env.str(f"{name}_FILE", default="")
    return Path(path).read_text().strip() if path else env.str(name, default="")


def languages_in(folder: Path) -> list[tuple[str, str]]:
    """English, and each language that has a compiled catalogue here, by its own name."""
    found = sorted(catalogue.parent.parent.name for catalogue in folder.glob("*/LC_MESSAGES/django.mo"))
    codes = ["en", *(name.replace("_", "-").lower() for name in found)]
    return [(code, LANG_INFO[code]["name_local"].capitalize()) for code in codes if code in LANG_INFO]
